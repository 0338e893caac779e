// SPDX-License-Identifier: Apache-2.0
#include "cli/pace.h"

#include <csignal>

#include "daemon/loop.h"
#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

// Each look at it takes a while.
struct SlowClock {
  TimePoint now = TimePoint(1h);
  Clocks clocks() {
    auto clocks = Clocks::system();
    clocks.monotonic = [this] { return now += kTick / 2; };
    return clocks;
  }
};

}  // namespace

TEST_CASE("a loop ticks at its pace until it is told to stop, and does not catch up after a slow tick") {
  SlowClock clock;
  std::vector<TimePoint> ticks;
  const auto end = clock.now + 12 * kTick;
  drive(
      clock.clocks(), clock.now, [&](TimePoint next) { return next <= end; },
      [&](TimePoint now) {
        ticks.push_back(now);
        if (ticks.size() == 2) clock.now += 5 * kTick;
      });
  REQUIRE(ticks.size() >= 4);
  for (std::size_t i = 1; i < ticks.size(); ++i) CHECK(ticks[i] - ticks[i - 1] >= kTick);
  CHECK(ticks[2] - ticks[1] >= 5 * kTick);
  CHECK(ticks.back() <= end + kTick);
}

TEST_CASE("a loop ends at a signal, also when there is nothing to wait for") {
  sigset_t before;
  REQUIRE(::pthread_sigmask(SIG_SETMASK, nullptr, &before) == 0);
  block_loop_signals();
  REQUIRE(::raise(SIGTERM) == 0);
  SlowClock clock;
  int ticks = 0;
  drive(clock.clocks(), clock.now - 1h, [](TimePoint) { return true; }, [&](TimePoint) { ++ticks; });
  CHECK(ticks == 0);
  CHECK_FALSE(stop_is_pending());
  REQUIRE(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
}
