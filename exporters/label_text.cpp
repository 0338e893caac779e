// SPDX-License-Identifier: Apache-2.0
#include "exporters/label_text.h"

#include <algorithm>
#include <cstdint>

namespace tcpdiag {
namespace {

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

/// The length of the UTF-8 sequence at the front of `text`, which is not empty; 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // the second byte alone tells overlong forms, surrogates and what is beyond U+10FFFF
  const auto second = byte(1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return length;
}

}  // namespace

bool is_label_text(std::string_view text) {
  const auto is_printable_ascii = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (std::ranges::all_of(text, is_printable_ascii)) return true;  // nearly always
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0 || is_control(static_cast<unsigned char>(text.front()))) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_label_text(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string label;
  while (!text.empty()) {
    const auto length = sequence_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0 || is_control(first)) {
      label += {'\\', 'x', kHex[first >> 4], kHex[first & 0xf]};
      text.remove_prefix(1);
    } else {
      label += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return label;
}

}  // namespace tcpdiag
