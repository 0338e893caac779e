// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/number_text.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// `text` with its {names} replaced and [parts] that lack a value left out. A name that is not known outside
/// of brackets becomes "?". "{n:connection|connections}" is the word that fits to the number n. Brackets
/// nest. What follows a backslash is taken as it is.
std::string fill_in(std::string_view text, const Values& values);

/// Whether every name outside of brackets is known.
bool can_fill_in(std::string_view text, const Values& values);

/// `text` for the documentation: {port} becomes <port>, brackets go, parts that stand for one another are set
/// apart by " / ".
std::string as_pattern(std::string_view text);

}  // namespace tcpdiag
