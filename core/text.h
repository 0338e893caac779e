// SPDX-License-Identifier: Apache-2.0
// Reading text word by word: the kernel's files, configuration, headers.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace tcpdiag {

/// Takes the first line off `text` and returns it without its newline. Empty for an empty line and at the
/// end.
constexpr std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// Takes the first word off `text` and returns it; words are separated by blanks, tabs and newlines. Empty at
/// the end.
constexpr std::string_view next_word(std::string_view& text) {
  constexpr std::string_view kSpace = " \t\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    text = {};
    return {};
  }
  text.remove_prefix(begin);
  const auto word = text.substr(0, text.find_first_of(kSpace));
  text.remove_prefix(word.size());
  return word;
}

/// `text` without what it has of `blanks` at either end.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The whole of `word` as a number in `base`; empty when it is anything else or does not fit.
template <std::integral T>
std::optional<T> to_number(std::string_view word, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  if (error != std::errc{} || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return value;
}

}  // namespace tcpdiag
