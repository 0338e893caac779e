// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>

#include "tests/incidents/scenario.h"

namespace tcpdiag::incidents {

/// Runs `body` as the first process of new network, PID and mount namespaces, with loopback up, its own /proc
/// and an empty /run, and ends with its result. All that it starts is gone when it is, and it is gone when
/// its parent is. With `peer` there is a second network namespace of that name, joined by a link. Returns the
/// child's pid; throws when the kernel refuses.
pid_t fork_into_new_namespaces(bool peer, const std::function<int()>& body);

/// Runs `work` in the network namespace of that side; what it throws comes out.
void inside(Side side, const std::function<void()>& work);

}  // namespace tcpdiag::incidents
