// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "collectors/collector.h"

namespace tcpdiag {

/// Every collector there is, in the order in which they run.
std::span<const CollectorSpec> collector_catalog();

}  // namespace tcpdiag
