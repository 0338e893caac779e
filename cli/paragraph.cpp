// SPDX-License-Identifier: Apache-2.0
#include "cli/paragraph.h"

#include <algorithm>
#include <utility>

#include "cli/terminal.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

/// The first `columns` of valid UTF-8.
std::string_view first_columns(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t taken = 0; taken < columns && end < text.size(); ++taken)
    end += std::max<std::size_t>(utf8_length(text.substr(end)), 1);
  return text.substr(0, end);
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  columns = std::max<std::size_t>(columns, 1);
  const auto clean = one_line(text);
  std::vector<std::string> lines;
  std::string line;
  std::string_view rest = clean;
  for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (!line.empty() && columns_of(line) + 1 + columns_of(word) > columns)
      lines.push_back(std::exchange(line, {}));
    if (!line.empty()) line += ' ';
    while (columns_of(word) > columns) {  // then it begins the line
      const auto part = first_columns(word, columns);
      lines.emplace_back(part);
      word.remove_prefix(part.size());
    }
    line += word;
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string paragraph(std::string_view first, std::string_view text, std::size_t columns) {
  const auto indent = columns_of(first);
  std::string shown;
  for (const auto& line : wrapped(text, columns > indent ? columns - indent : 1))
    shown.append(shown.empty() ? std::string(first) : std::string(indent, ' ')).append(line).append("\n");
  return shown;
}

}  // namespace tcpdiag
