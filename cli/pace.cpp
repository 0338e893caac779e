// SPDX-License-Identifier: Apache-2.0
#include "cli/pace.h"

#include <algorithm>
#include <csignal>
#include <ctime>

#include "daemon/loop.h"

namespace tcpdiag {

bool stop_is_pending() {
  sigset_t pending;
  return ::sigpending(&pending) == 0 &&
         (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

void drive(const Clocks& clocks, TimePoint start, const std::function<bool(TimePoint)>& goes_on,
           const std::function<void(TimePoint)>& on_tick) {
  for (auto next = start; goes_on(next) && wait_until(next, clocks); next += kTick) {
    const auto now = clocks.monotonic();
    if (now >= next + kTick) next = now;
    on_tick(now);
  }
}

bool wait_until(TimePoint until, const Clocks& clocks) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  for (;;) {
    const auto left = std::max<std::int64_t>(0, std::chrono::nanoseconds(until - clocks.monotonic()).count());
    const timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    if (::sigtimedwait(&stop, nullptr, &timeout) > 0) return false;
    if (left == 0) return true;
  }
}

}  // namespace tcpdiag
