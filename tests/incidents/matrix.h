// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tests/incidents/outcome.h"

namespace tcpdiag::incidents {

/// Scenarios by findings, with the times to detection and to closing, at most 160 columns wide.
std::string to_matrix(const std::vector<Outcome>& outcomes);

/// What a scenario's end is worth telling: one line when it passed, all of it otherwise.
std::string to_text(const Outcome& outcome);

}  // namespace tcpdiag::incidents
