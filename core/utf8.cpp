// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tcpdiag {
namespace {

struct Characters {
  char32_t first, last;
};

// What is not seen, or changes how its neighbours are seen, beyond ASCII.
constexpr std::array kUnseen = std::to_array<Characters>({
    {0x80, 0x9f},        // controls
    {0xad, 0xad},        // soft hyphen
    {0x34f, 0x34f},      // combining grapheme joiner
    {0x61c, 0x61c},      // Arabic letter mark
    {0x115f, 0x1160},    // Hangul fillers
    {0x17b4, 0x17b5},    // inherent vowels of Khmer
    {0x180b, 0x180f},    // Mongolian variation selectors and vowel separator
    {0x200b, 0x200f},    // no width; left-to-right and right-to-left marks
    {0x2028, 0x202e},    // line and paragraph separators; embeddings and overrides of direction
    {0x2060, 0x206f},    // word joiner, invisible operators; isolates of direction
    {0x3164, 0x3164},    // Hangul filler
    {0xfdd0, 0xfdef},    // noncharacters
    {0xfe00, 0xfe0f},    // variation selectors
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // halfwidth Hangul filler
    {0xfff0, 0xfffb},    // unassigned; interlinear annotation
    {0x1bca0, 0x1bca3},  // shorthand format controls
    {0x1d173, 0x1d17a},  // controls of musical notation
    {0xe0000, 0xe0fff},  // tags
});

bool is_unseen(char32_t character) {
  if (character < 0x80) return character < 0x20 || character == 0x7f;
  if ((character & 0xfffe) == 0xfffe) return true;  // the last two of each plane are noncharacters
  return std::ranges::any_of(
      kUnseen, [&](const Characters& range) { return range.first <= character && character <= range.last; });
}

/// Of a valid sequence.
char32_t character_of(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence.front());
  char32_t character = sequence.size() == 1 ? lead : lead & (0x7fU >> sequence.size());
  for (const char c : sequence.substr(1))
    character = character << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return character;
}

std::string in_hex(const char* format, unsigned number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

/// A character that is not seen, or a byte that is none.
std::string in_words(std::string_view sequence) {
  const auto byte = static_cast<unsigned char>(sequence.front());
  if (byte == '\n') return "\\n";
  if (byte == '\t') return "\\t";
  if (byte < 0x80 || utf8_length(sequence) == 0) return in_hex("\\x%02x", byte);
  return in_hex("\\u{%04x}", character_of(sequence));
}

/// Whether each byte of it is a printable character, as in nearly every text.
bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

struct Taken {
  std::string_view sequence;
  bool seen;
};

/// Takes the first character, or a byte that is none, off `text`.
Taken take_character(std::string_view& text) {
  const auto length = utf8_length(text);
  const auto sequence = text.substr(0, std::max<std::size_t>(length, 1));
  text.remove_prefix(sequence.size());
  return {sequence, length != 0 && !is_unseen(character_of(sequence))};
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

std::string one_line(std::string_view text) {
  if (is_printable_ascii(text)) return std::string(text);
  std::string line;
  while (!text.empty()) {
    const auto [sequence, seen] = take_character(text);
    if (seen)
      line += sequence;
    else
      line += in_words(sequence);
  }
  return line;
}

bool is_one_line(std::string_view text) {
  if (is_printable_ascii(text)) return true;
  while (!text.empty())
    if (!take_character(text).seen) return false;
  return true;
}

std::string many_lines(std::string_view text) {
  std::string shown;
  for (;;) {
    const auto end = text.find('\n');
    shown += one_line(text.substr(0, end));
    if (end == std::string_view::npos) return shown;
    shown += '\n';
    text.remove_prefix(end + 1);
  }
}

std::string escaped(std::string_view text) {
  std::string inside;
  for (const char c : one_line(text)) {
    if (c == '"' || c == '\\') inside += '\\';
    inside += c;
  }
  return inside;
}

}  // namespace tcpdiag
