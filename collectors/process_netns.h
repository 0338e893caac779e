// SPDX-License-Identifier: Apache-2.0
// Which network namespace processes live in: /proc/PID/ns/net, which takes the right to trace them.
#pragma once

#include "collectors/source.h"
#include "core/facts/processes.h"

namespace tcpdiag {

/// Errors: it is in another network namespace than the daemon (no_netns); it cannot be told.
Result<void> check_own_netns(Source& source, std::int32_t pid);

/// Whether the daemon lives in another network namespace than the machine's first one, which alone has the
/// machine's own settings, as net.core.netdev_max_backlog: it looks at a container from inside, or at a
/// namespace of the machine.
bool is_in_inner_netns(Source& source);

/// Sets Process::elsewhere of those that use much of their limit of descriptors. One that holds a socket of a
/// namespace that is looked at is not elsewhere; nor is one of which it cannot be told.
void mark_elsewhere(Source& source, Processes& processes);

}  // namespace tcpdiag
