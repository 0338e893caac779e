// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "collectors/source.h"
#include "core/facts/memory_info.h"

namespace tcpdiag {

/// Parses /proc/meminfo (proc_meminfo(5)): MemTotal, which every kernel has, and MemAvailable, which came
/// with Linux 3.14. Both are the machine's, whatever a container may use of it.
Result<MemoryInfo> parse_meminfo(std::string_view text);

/// The machine's memory.
Result<MemoryInfo> read_meminfo(Source& source);

}  // namespace tcpdiag
