// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/source.h"
#include "core/facts/self_usage.h"

namespace tcpdiag {

/// Parses "btime" of /proc/stat: when the machine booted, in seconds of Unix time.
Result<std::uint64_t> parse_boot_time(std::string_view text);

/// What the daemon itself uses. Descriptors that may not be counted leave `open_fds` empty.
Result<SelfUsage> read_self_usage(Source& source);

}  // namespace tcpdiag
