// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/findings_answer.h"
#include "cli/terminal.h"

namespace tcpdiag {

/// Who has looked: this program for a while, a daemon that is asked how things are, or this program at the
/// settings alone, which takes no time.
enum class LookedBy { this_program, daemon, lint };

/// What `tcpdiag check --brief` prints: a line for each finding, most urgent first, with its severity,
/// process, place, cause and first action, at most kBriefRows; how many there are, and what cannot be told.
/// Where it goes to a terminal, long lines are wrapped.
std::string to_brief_text(const FindingsAnswer& answer, LookedBy by, const TextStyle& style);
inline constexpr std::size_t kBriefRows = 20;

/// What `tcpdiag check` prints for people: the brief text, and then all about each finding. What is over has
/// no advice of its own. Only commands are wider than the style allows: each is one line, to be copied.
std::string to_text(const FindingsAnswer& answer, LookedBy by, const TextStyle& style);

}  // namespace tcpdiag
