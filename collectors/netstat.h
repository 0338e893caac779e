// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "collectors/wrapping_counter.h"
#include "core/facts/tcp_counters.h"

namespace tcpdiag {

/// Parses /proc/net/snmp and /proc/net/netstat, which share one form: a line of names and a line of values
/// for each group. Counters that neither text names stay empty; names that we do not know are passed over. A
/// netstat that is one line of names, as gVisor has it, names counters without values.
Result<TcpCounters> parse_tcp_counters(std::string_view snmp, std::string_view netstat);

/// The counters of the source's namespace, as they are now.
Result<TcpCounters> read_tcp_counters(Source& source);

/// Reads them again and again; those that wrap at 2^32 on a kernel of 32 bits go on counting. Where it may
/// rest, it does not read netstat while snmp stays what it was: no segment and no packet came or went.
class TcpCountersReader {
 public:
  /// For so long at most: what a timer counts without a segment, such as the end of TIME_WAIT, comes later.
  static constexpr std::chrono::seconds kLongestRest{60};

  Result<TcpCounters> operator()(const Reading& reading);

 private:
  Result<TcpCounters> read(const Reading& reading);

  std::string snmp_;                  // as it was when netstat was read last; empty: it was not
  std::optional<TimePoint> read_at_;  // netstat
  TcpCounters latest_;
  std::vector<LongCounter> counters_;  // as tcp_counter_table()
  std::uint64_t generation_ = 0;
};

}  // namespace tcpdiag
