// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "tests/incidents/outcome.h"
#include "tests/incidents/said.h"

namespace tcpdiag::incidents {

/// When the evidence was first there and when the cause was gone.
struct Course {
  TimePoint evidence, removed;
};

/// Adds to the outcome what one daemon has said, and what is wrong with that.
void judge(const Scenario& scenario, const Said& said, const Course& course, Outcome& outcome);

}  // namespace tcpdiag::incidents
