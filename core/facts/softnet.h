// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace tcpdiag {

/// One CPU's line of /proc/net/softnet_stat; machine-wide. The kernel's 32 bits wrap, these go on counting.
struct SoftnetCpu {
  std::uint32_t cpu = 0;
  std::uint64_t processed = 0;
  std::uint64_t dropped = 0;        ///< the CPU's input queue was full (netdev_max_backlog), or flow limit
  std::uint64_t time_squeezed = 0;  ///< the poll ran out of budget; by itself no loss
};
struct Softnet {
  std::vector<SoftnetCpu> cpus;
};

}  // namespace tcpdiag
