// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/finding.h"
#include "diagnosis/history.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// What the rules say at the history's latest snapshot, of every namespace and of the machine. A finding that
/// another one on the same subject explains is listed as its consequence, and in Diagnosis::explained.
Diagnosis diagnose(const History& history, std::span<const Rule> rules, const Thresholds& thresholds);

/// Whether both are about the same thing: the same listener, destination or setting, the same process, or a
/// listener and a process that holds it. One that is about a whole namespace or the host, because nothing in
/// it stands out, may be about anything in it.
bool same_subject(const Finding& cause, const Finding& effect);

}  // namespace tcpdiag
