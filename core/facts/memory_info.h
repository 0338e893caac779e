// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/section.h"

namespace tcpdiag {

/// /proc/meminfo: what the machine's limits are measured by.
struct MemoryInfo {
  Count total_bytes, available_bytes;
};

}  // namespace tcpdiag
