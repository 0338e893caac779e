// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace tcpdiag {

/// A point on the kernel's monotonic clock, the clock of every duration in the project.
using TimePoint = std::chrono::steady_clock::time_point;

}  // namespace tcpdiag
