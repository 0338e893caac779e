// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "tests/incidents/outcome.h"
#include "tests/incidents/watch.h"

namespace tcpdiag::incidents {

/// When the evidence was first there and when the cause was gone.
struct Course {
  TimePoint evidence, removed;
};

/// Adds to the outcome what the daemon of one side has said, and what is wrong with that. `expected` are the
/// expected findings of that side, in the order of `said.matches`.
void judge(const Scenario& scenario, const std::vector<Expected>& expected, const Said& said,
           const Course& course, Outcome& outcome);

}  // namespace tcpdiag::incidents
