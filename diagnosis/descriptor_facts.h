// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnosis/rule.h"

namespace tcpdiag {

/// What is said of a process whose descriptors run out: how many are open, how they grew and when the limit
/// is reached, what limits them and who sets that, what they are, and what its requests may be waiting for.
/// Its open_fds and soft_limit must be known. The values are those of rules/descriptor_words.h and
/// {open_fds}, {soft_limit}, {share}, {forecast}, {close_wait}, {closed}, {upstream}, {upstream_connections},
/// {clients}.
void add_descriptor_facts(Facts& facts, const Window& window, const Process& process);

}  // namespace tcpdiag
