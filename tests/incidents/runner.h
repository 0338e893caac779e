// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "tests/incidents/outcome.h"
#include "tests/incidents/play.h"
#include "tests/incidents/scenario.h"

namespace tcpdiag::incidents {

/// Plays the scenarios, `jobs` at a time, each in a process and namespaces of its own that nothing outlives,
/// for at most three minutes. One that failed while the machine stood still is played again, at most twice.
/// `on_end` is told of each as it ends; the outcomes come in the scenarios' order.
std::vector<Outcome> play_all(const std::vector<Scenario>& scenarios, const PlayOptions& options,
                              unsigned jobs, const std::function<void(const Outcome&)>& on_end);

}  // namespace tcpdiag::incidents
