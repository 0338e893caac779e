// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/describe.h"

namespace tcpdiag {

/// One CPU's line of /proc/net/softnet_stat; machine-wide. The kernel's 32 bits wrap, these go on counting.
struct SoftnetCpu {
  std::uint32_t cpu = 0;
  std::uint64_t processed = 0;
  std::uint64_t dropped = 0;        ///< the CPU's input queue was full (netdev_max_backlog), or flow limit
  std::uint64_t time_squeezed = 0;  ///< the poll ran out of budget; by itself no loss
};
constexpr auto members_of(Type<SoftnetCpu>, auto member) {
  return std::tuple(member("cpu", &SoftnetCpu::cpu), member("processed", &SoftnetCpu::processed),
                    member("dropped", &SoftnetCpu::dropped),
                    member("time_squeezed", &SoftnetCpu::time_squeezed));
}
struct Softnet {
  std::vector<SoftnetCpu> cpus;
};
constexpr std::string_view collector_of(Type<Softnet>) { return "softnet"; }
constexpr auto members_of(Type<Softnet>, auto member) { return std::tuple(member("cpus", &Softnet::cpus)); }

}  // namespace tcpdiag
