// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "collectors/wrapping_counter.h"
#include "core/facts/conntrack.h"

namespace tcpdiag {

/// One CPU's line of /proc/net/stat/nf_conntrack; empty what this kernel does not have. The numbers wrap.
struct ConntrackCpu {
  std::optional<std::uint32_t> drops, early_drops, insert_failed;
};

/// Parses /proc/net/stat/nf_conntrack, a line of names and a line of hexadecimal numbers for each possible
/// CPU.
Result<std::vector<ConntrackCpu>> parse_conntrack_stat(std::string_view text);

/// Reads connection tracking in the source's namespace, and goes on counting where the kernel's numbers wrap.
/// Where nf_conntrack is not loaded everything is empty, which is no error.
class ConntrackReader {
 public:
  Result<Conntrack> operator()(const Reading& reading);

 private:
  struct Cpu {
    WrappingCounter drops, early_drops, insert_failed;
  };
  std::vector<Cpu> cpus_;  // in the order of their lines: a CPU that is off keeps its own
  std::uint64_t generation_ = 0;
};

}  // namespace tcpdiag
