// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/reference/catalogue.h"

namespace tcpdiag {

/// docs/reference/metrics.md.
std::string metrics_reference(const Json& catalogue);

}  // namespace tcpdiag
