// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnosis/history.h"

namespace tcpdiag {

/// Whether connections are in trouble just now, so that what is read rarely should be read sooner: a queue
/// that does not empty, connections or SYNs that a listener turns away.
bool is_urgent(const History& history);

}  // namespace tcpdiag
