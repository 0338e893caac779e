// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tcpdiag {

/// The text in lines of at most `columns`, broken at blanks; a word that is longer is broken where the line
/// ends. Any bytes: they are shown as valid UTF-8 without control characters. No text is no line.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

/// The same as one text that ends with a newline: `first` in front of the first line, as many blanks in front
/// of the others. `first` is one column for each character.
std::string paragraph(std::string_view first, std::string_view text, std::size_t columns);

}  // namespace tcpdiag
