// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/findings_answer.h"
#include "cli/terminal.h"

namespace tcpdiag {

/// Who has looked: this program for a while, a daemon that is asked how things are, or this program at the
/// settings alone, which takes no time.
enum class LookedBy { this_program, daemon, lint };

/// What `tcpdiag check` prints for people: the findings, what cannot be told, and at the end what was looked
/// at. Only commands are wider than the style allows: each is one line, to be copied.
std::string to_text(const FindingsAnswer& answer, LookedBy by, const TextStyle& style);

}  // namespace tcpdiag
