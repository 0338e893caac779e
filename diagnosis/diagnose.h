// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <span>

#include "core/finding.h"
#include "diagnosis/history.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// What the rules say at the history's latest snapshot, of every namespace and of the machine. A finding that
/// another one on the same subject explains is listed as its consequence, and in Diagnosis::explained.
///
/// Of one rule's findings about the listeners or processes of one owner the first kAlikeShown are kept and
/// the others counted (Finding::alike); of those about namespaces of which the same is true (Facts::alike)
/// one; of all findings kMostFindings, the worst and of each owner some, and the others counted
/// (Diagnosis::cut). Those that one of `incidents` is about already are kept before others that are as bad.
/// Rules are not asked about the namespaces that rest (diagnosis/rest.h).
Diagnosis diagnose(const History& history, std::span<const Rule> rules, const Thresholds& thresholds,
                   std::span<const Incident> incidents = {}, const std::set<NetnsId>& resting = {});

inline constexpr std::size_t kAlikeShown = 3;
inline constexpr std::size_t kMostFindings = 256;

/// Whether both are about the same thing: the same listener, destination or setting, the same process, a
/// listener and its owner, or a listener and a process whose connections the effect is about
/// (Finding::known_as). One that is about a whole namespace or the host, because nothing in it stands out,
/// may be about anything in it.
bool same_subject(const Finding& cause, const Finding& effect);

}  // namespace tcpdiag
