// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tcpdiag {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool is_c1_control(std::string_view sequence) {
  return sequence.size() == 2 && sequence[0] == '\xc2' && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

std::string unicode_escape(unsigned code) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", code);
  return text.data();
}

/// One sequence; quotes and backslashes as they are.
std::string shown(std::string_view sequence) {
  const auto byte = static_cast<unsigned char>(sequence.front());
  if (byte == '\n') return "\\n";
  if (byte == '\t') return "\\t";
  if (byte < 0x20 || byte == 0x7f) return unicode_escape(byte);
  if (is_c1_control(sequence)) return unicode_escape(static_cast<unsigned char>(sequence[1]));
  return std::string(sequence);
}

std::string escape(std::string_view text, std::string_view special) {
  std::string result;
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (special.find(text.front()) != std::string_view::npos) result += '\\';
    result += length == 0 ? std::string(kReplacement) : shown(text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // the second byte alone tells overlong forms, surrogates and what is beyond U+10FFFF
  const auto second = byte(1);
  if (lead == 0xe0 && second < 0xa0) return 0;
  if (lead == 0xed && second > 0x9f) return 0;
  if (lead == 0xf0 && second < 0x90) return 0;
  if (lead == 0xf4 && second > 0x8f) return 0;
  return length;
}

std::string_view utf8_prefix(std::string_view text, std::size_t most) {
  std::size_t end = 0;
  while (end < text.size()) {
    const auto length = std::max<std::size_t>(utf8_length(text.substr(end)), 1);
    if (end + length > most) break;
    end += length;
  }
  return text.substr(0, end);
}

std::string escaped(std::string_view text) { return escape(text, "\"\\"); }

std::string one_line(std::string_view text) { return escape(text, ""); }

}  // namespace tcpdiag
