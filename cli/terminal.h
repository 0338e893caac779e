// SPDX-License-Identifier: Apache-2.0
// How text for people looks: its colours and how wide it may be.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tcpdiag {

/// What a piece of text is to the reader; on a terminal it has a colour.
enum class Tone { plain, heading, good, warning, critical, faint };

/// Nothing that is shown is wider, however wide the terminal is.
inline constexpr std::size_t kMaxColumns = 100;

/// How text shall look.
struct TextStyle {
  std::size_t columns = kMaxColumns;  ///< that a line may take
  bool colour = false;
  bool terminal = false;  ///< people look at it: elsewhere a row of a table stays one line, however long
};

/// What is known about the place where text goes.
struct TextTarget {
  bool terminal = false;
  std::size_t columns = 0;    ///< of the terminal; 0: it does not say
  std::string_view no_color;  ///< the variable NO_COLOR: colours are off unless it is empty (no-color.org)
  std::string_view term;      ///< the variable TERM: a "dumb" terminal has no colours
};

/// The style for a target. A terminal that is narrower than kMaxColumns is respected down to 40 columns.
TextStyle style_for(const TextTarget& target);

/// The style for standard output.
TextStyle standard_output_style();

/// The text in the colour of its tone, if the style has colours.
std::string toned(std::string_view text, Tone tone, const TextStyle& style);

/// How many columns valid UTF-8 takes: one for each character.
std::size_t columns_of(std::string_view text);

/// The text cut to that many columns, with "…" in place of what is missing.
std::string cut_to(std::string_view text, std::size_t columns);

/// The same with "…" in the middle, for a text whose end matters: an address and its port.
std::string cut_middle_to(std::string_view text, std::size_t columns);

}  // namespace tcpdiag
