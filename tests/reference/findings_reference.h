// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/reference/catalogue.h"

namespace tcpdiag {

/// docs/reference/findings.md: every finding with its words, the servers' own knobs, and the thresholds.
std::string findings_reference(const Json& catalogue);

}  // namespace tcpdiag
