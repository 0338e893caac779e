// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/describe.h"
#include "core/section.h"

namespace tcpdiag {

/// /proc/meminfo: what the machine's limits are measured by.
struct MemoryInfo {
  Count total_bytes, available_bytes;
};
constexpr std::string_view collector_of(Type<MemoryInfo>) { return "meminfo"; }
constexpr auto members_of(Type<MemoryInfo>, auto member) {
  return std::tuple(member("total_bytes", &MemoryInfo::total_bytes),
                    member("available_bytes", &MemoryInfo::available_bytes));
}

}  // namespace tcpdiag
