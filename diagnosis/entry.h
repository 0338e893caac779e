// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/snapshot.h"

namespace tcpdiag {

/// How a namespace is entered by hand: a name for `ip netns exec`, or the path of a namespace file, that of
/// its oldest process if it has no name there. Empty: it is the program's own.
std::string entry_of(const Snapshot& snapshot, const NetnsView& netns);

/// The oldest process that lives in it; empty: none, or not known.
std::optional<std::int32_t> anchor_of(const Snapshot& snapshot, const NetnsView& netns);

}  // namespace tcpdiag
