// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tcpdiag {

/// docs/reference/findings.md: every finding with its words, the servers' own knobs, and the thresholds.
std::string findings_reference();

}  // namespace tcpdiag
