// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace tcpdiag {

/// "2026-01-02T03:04:05.678Z" (RFC 3339, UTC).
std::string to_rfc3339(std::chrono::system_clock::time_point time);

}  // namespace tcpdiag
