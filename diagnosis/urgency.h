// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/finding.h"
#include "diagnosis/history.h"

namespace tcpdiag {

/// Whether connections are in trouble just now, so that what is read rarely should be read sooner: a queue
/// that does not empty, connections or SYNs that a listener turns away.
bool is_urgent(const History& history);

/// Whether no connection waits in a listener's queue, nor has within the last minute (Listener::peak_length).
/// What is not known is not calm.
bool is_calm(const NetnsView& netns);

/// Whether one of the incidents is open and its rule reads a setting: when that is changed, what is said
/// about it must not stay.
bool rests_on_settings(std::span<const Incident> incidents);

}  // namespace tcpdiag
