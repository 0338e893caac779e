// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace tcpdiag {

/// A time as Go's time.ParseDuration reads it, without a sign: "100ms", "1m30s", "1.5h", "0". Empty: it is
/// none, or more than a year.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

}  // namespace tcpdiag
