// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "diagnosis/rule.h"

namespace tcpdiag {

/// What a process follows into that has no descriptor left, or soon has none.
inline const std::vector<std::string_view> kFollowFromFullDescriptors = {"fd-limit-near", "fd-limit-reached",
                                                                         "fd-limit-accept-blocked"};

/// Programs that do not close what their peers have closed; diagnosis/close_wait_course.h tells how that is
/// told from programs that are slow. One finding for each process, or for each port of which nobody is known
/// to hold anything.
Verdict close_wait_leak(const Window& window, const Thresholds& t);

}  // namespace tcpdiag
