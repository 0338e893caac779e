// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/number_text.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// A part of a text that was filled in: the text's own words, a value, or {name*}: a value that is a list.
struct Piece {
  enum class Kind { words, value, list };
  std::string text;
  Kind kind = Kind::words;
};

/// The parts of what fill_in() makes of `text`, none of them empty but for values that are.
std::vector<Piece> pieces_of(std::string_view text, const Values& values);

/// `text` with its {names} replaced and [parts] that lack a value left out. A name that is not known outside
/// of brackets becomes "?". "{n:connection|connections}" is the word that fits to the number n. Brackets
/// nest; of [parts|with bars] the first complete one is taken. What follows a backslash is taken as it is.
std::string fill_in(std::string_view text, const Values& values);

/// Whether nothing is missing: every name outside of brackets is known, and of [parts|with bars] one is
/// complete.
bool can_fill_in(std::string_view text, const Values& values);

/// When the rule's finding is true, with the thresholds as numbers.
std::string condition_of(const RuleInfo& info);

/// `text` for the documentation: {port} becomes <port>, brackets go, parts that stand for one another are set
/// apart by " / ".
std::string as_pattern(std::string_view text);

}  // namespace tcpdiag
