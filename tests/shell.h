// SPDX-License-Identifier: Apache-2.0
// Shell commands and waiting, for tests that use the real kernel. What goes wrong is an exception.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/time_point.h"

namespace tcpdiag {

TimePoint now();

/// What a shell command prints in the thread's namespaces. Throws when the command fails.
std::string run(const std::string& command);

/// Waits until the condition holds; false when it does not in that time.
bool holds_within(std::chrono::milliseconds time, const std::function<bool()>& condition);
/// The same with 20 s, and throws.
void wait_until(const std::string& what, const std::function<bool()>& condition);

}  // namespace tcpdiag
