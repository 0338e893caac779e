// SPDX-License-Identifier: Apache-2.0
#include "exporters/label_text.h"

#include <algorithm>

#include "core/utf8.h"

namespace tcpdiag {
namespace {

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

}  // namespace

bool is_label_text(std::string_view text) {
  const auto is_printable_ascii = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (std::ranges::all_of(text, is_printable_ascii)) return true;  // nearly always
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0 || is_control(static_cast<unsigned char>(text.front()))) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_label_text(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string label;
  while (!text.empty()) {
    const auto length = utf8_length(text);
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
