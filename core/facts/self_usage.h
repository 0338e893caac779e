// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "core/describe.h"
#include "core/section.h"

namespace tcpdiag {

/// The daemon itself, as the Prometheus client libraries report it (/proc/self).
struct SelfUsage {
  std::int32_t pid = 0;  ///< 0: not known
  double cpu_seconds = 0;
  double start_time_seconds = 0;  ///< Unix time
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  Count open_fds, max_fds;
  std::uint64_t threads = 0;
};
constexpr std::string_view collector_of(Type<SelfUsage>) { return "self"; }
constexpr auto members_of(Type<SelfUsage>, auto member) {
  return std::tuple(member("pid", &SelfUsage::pid), member("cpu_seconds", &SelfUsage::cpu_seconds),
                    member("start_time_seconds", &SelfUsage::start_time_seconds),
                    member("resident_bytes", &SelfUsage::resident_bytes),
                    member("virtual_bytes", &SelfUsage::virtual_bytes),
                    member("open_fds", &SelfUsage::open_fds), member("max_fds", &SelfUsage::max_fds),
                    member("threads", &SelfUsage::threads));
}

}  // namespace tcpdiag
