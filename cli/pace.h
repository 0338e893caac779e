// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/clock.h"

namespace tcpdiag {

/// Whether SIGINT or SIGTERM asks to stop; it stays pending until wait_until() takes it. The signals must be
/// blocked (block_loop_signals()).
bool stop_is_pending();

/// Waits until `until`; false when a signal asks to stop, even if it is too late to wait.
bool wait_until(TimePoint until, const Clocks& clocks);

}  // namespace tcpdiag
