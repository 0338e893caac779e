// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "collectors/source.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// Where the kernel's counter of that name is kept.
struct TcpCounterField {
  std::string_view kernel_name;  ///< with its group: "TcpExt:ListenOverflows"
  Count TcpCounters::* member;
};

/// Every counter that is read.
std::span<const TcpCounterField> tcp_counter_fields();

/// Parses /proc/net/snmp and /proc/net/netstat, which share one form: a line of names and a line of values
/// for each group. Counters that neither text names stay empty; names that we do not know are passed over.
Result<TcpCounters> parse_tcp_counters(std::string_view snmp, std::string_view netstat);

/// The counters of the source's namespace.
Result<TcpCounters> read_tcp_counters(Source& source);

}  // namespace tcpdiag
