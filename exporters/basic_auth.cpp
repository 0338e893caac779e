// SPDX-License-Identifier: Apache-2.0
#include "exporters/basic_auth.h"

#include <algorithm>
#include <cstdint>

namespace tcpdiag {
namespace {

/// The value of a base64 digit; 64: it is none.
std::uint32_t digit(char c) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return static_cast<std::uint32_t>(std::min(kDigits.find(c), kDigits.size()));
}

/// Base64 with its padding (RFC 4648, 4).
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto value = digit(c);
    if (value > 63) return std::nullopt;
    bits = (bits << 6 | value) & 0xffff;
    if (count += 6; count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;  // two texts for the same bytes
  return bytes;
}

}  // namespace

std::optional<Credentials> parse_basic_auth(std::string_view header) {
  constexpr std::string_view kScheme = "basic ";
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  if (!std::ranges::equal(header.substr(0, kScheme.size()), kScheme, {}, lower)) return std::nullopt;
  header.remove_prefix(kScheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  while (header.ends_with(' ') || header.ends_with('\t'))
    header.remove_suffix(1);  // libmicrohttpd leaves them
  const auto pair = decode_base64(header);
  if (!pair) return std::nullopt;
  const auto colon = pair->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{pair->substr(0, colon), pair->substr(colon + 1)};
}

}  // namespace tcpdiag
