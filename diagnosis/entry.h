// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/facts/netns_list.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// The namespace as it was found; nullptr: it is the daemon's own, one that is configured, or gone.
const FoundNetns* found_as(const Snapshot& snapshot, const NetnsView& netns);

/// How a namespace is entered by hand: a name for `ip netns exec`, or the path of a namespace file, that of
/// its oldest process if it has no name there. Empty: it is the program's own. "-": it is gone.
std::string entry_of(const Snapshot& snapshot, const NetnsView& netns);

/// The oldest process that lives in it; empty: none, or not known.
std::optional<std::int32_t> anchor_of(const Snapshot& snapshot, const NetnsView& netns);

}  // namespace tcpdiag
