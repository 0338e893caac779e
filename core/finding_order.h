// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/finding.h"

namespace tcpdiag {

/// Whether the incident is open and yet the latest diagnosis before `now` had its finding no more: it is not
/// held to be over yet, and its advice would be about what is no longer so. Not one that cannot be judged.
bool is_past(const Incident& incident, TimePoint now);

/// In the order in which people read them: what goes on before what is past, and of both what is a cause
/// before what may follow from it, which is what it explains (Finding::causes) at the same port or owner.
/// Apart from that their order stays, which is by severity. The command line, JSON and the page have this one
/// order.
std::vector<const Incident*> in_reading_order(const std::vector<const Incident*>& incidents, TimePoint now);

}  // namespace tcpdiag
