// SPDX-License-Identifier: Apache-2.0
// Processes that the daemon may not look at: a rule about processes says nothing about them.
#pragma once

#include <optional>

#include "core/facts/processes.h"

namespace tcpdiag {

/// Why some processes are not among those that a rule can judge by their descriptors: /proc hides them, or
/// they cannot be counted. Empty: all could be looked at.
std::optional<Error> unseen_processes(const Processes& processes);

/// The same, and why others that use `ratio` or more of their limit are not judged: there are too many.
std::optional<Error> unseen_processes(const Processes& processes, double ratio);

/// The same for the sockets that they hold and that are closed, of which `many` would matter.
std::optional<Error> unseen_closed_sockets(const Processes& processes, std::uint64_t many);

}  // namespace tcpdiag
