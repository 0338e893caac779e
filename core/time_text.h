// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tcpdiag {

/// "2026-01-02T03:04:05.678Z" (RFC 3339, UTC).
std::string to_rfc3339(std::chrono::system_clock::time_point time);

/// "2026-01-02 03:04:05 UTC", for people.
std::string to_utc_text(std::chrono::system_clock::time_point time);

/// The moment that to_rfc3339() wrote, with or without its fraction; empty when it is of no such form.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

}  // namespace tcpdiag
