// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/collector.h"
#include "core/facts/kernel_log.h"

namespace tcpdiag {

/// One record of the kernel log (Documentation/ABI/testing/dev-kmsg).
struct KernelRecord {
  std::uint64_t sequence = 0;  ///< counts from 0 at boot; gaps are records that were overwritten
  std::uint32_t facility = 0;  ///< 0: the kernel itself, which nobody in user space can pretend to be
  TimePoint at;                ///< the log's clock
  std::string_view escaped;    ///< its text: printable ASCII, every other byte and the backslash as \xNN
};

/// Parses what one read() of /dev/kmsg gives; the result points into `record`. Fields and lines that later
/// kernels add are passed over.
Result<KernelRecord> parse_kernel_record(std::string_view record);

/// The bytes that a record's text stands for.
std::string unescape(std::string_view escaped);

/// Follows the kernel log and remembers what it said. What the ring already held when the log was first read
/// is shown but not counted: nobody knows which of those lines an earlier daemon has counted. Counts outlive
/// a failed read, and a log that is read again from its beginning is not counted twice.
class KernelLogReader {
 public:
  Result<KernelLog> operator()(const Reading& reading);

 private:
  void follow(const KernelRecord& record);
  void count(const KernelEvent& event);

  KernelLog log_;
  bool begun_ = false;      // a record was seen: next_sequence says something
  bool caught_up_ = false;  // the end of the log was reached once: what comes now is new
};

}  // namespace tcpdiag
