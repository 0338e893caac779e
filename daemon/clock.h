// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "core/time_point.h"

namespace tcpdiag {

/// The clocks of the running system. Everything behind daemon/ and cli/ gets time handed in.
struct Clocks {
  std::function<TimePoint()> monotonic;                         ///< CLOCK_MONOTONIC
  std::function<std::chrono::system_clock::time_point()> wall;  ///< CLOCK_REALTIME
  std::function<std::chrono::nanoseconds()> thread_cpu;         ///< CPU time of the calling thread

  static Clocks system();
};

}  // namespace tcpdiag
