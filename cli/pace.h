// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "daemon/clock.h"

namespace tcpdiag {

/// Whether SIGINT or SIGTERM asks to stop; it stays pending until wait_until() takes it. The signals must be
/// blocked (block_loop_signals()).
bool stop_is_pending();

/// Calls on_tick(now) from `start` on in every kTick for which goes_on(its begin), until a signal asks to
/// stop. After a slow one it goes on from there, without catching up.
void drive(const Clocks& clocks, TimePoint start, const std::function<bool(TimePoint)>& goes_on,
           const std::function<void(TimePoint)>& on_tick);

/// Waits until `until`; false when a signal asks to stop, even if it is too late to wait.
bool wait_until(TimePoint until, const Clocks& clocks);

}  // namespace tcpdiag
