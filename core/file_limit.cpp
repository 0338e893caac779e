// SPDX-License-Identifier: Apache-2.0
#include "core/file_limit.h"

#include <algorithm>
#include <limits>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kInfinity = "infinity";

/// Digits with what tells their base.
struct Notation {
  std::string_view digits;
  int base = 10;
};

Notation notation_of(std::string_view text) {
  if (text.size() < 2 || text[0] != '0') return {text};
  if (text[1] == 'x' || text[1] == 'X') return {text.substr(2), 16};
  if (text[1] == 'o') return {text.substr(2), 8};
  if (text[1] == 'b') return {text.substr(2), 2};
  return {text.substr(1), 8};
}

/// What stands before any ':' and behind it.
struct Parts {
  std::string_view soft;
  std::optional<std::string_view> hard;
};

Parts parts_of(std::string_view value) {
  const auto colon = value.find(':');
  if (colon == std::string_view::npos) return {value, std::nullopt};
  return {value.substr(0, colon), value.substr(colon + 1)};
}

std::string_view without_blanks_in_front(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

/// One number of a limit; as much as there is as the largest one.
std::optional<std::uint64_t> parse_one(std::string_view text) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  if (text == kInfinity) return kMost;
  text = without_blanks_in_front(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [digits, base] = notation_of(text);
  const auto number = to_number<std::uint64_t>(digits, base);
  return number == kMost ? std::nullopt : number;
}

std::optional<std::uint64_t> unless_infinite(std::uint64_t number) {
  return number == std::numeric_limits<std::uint64_t>::max() ? std::nullopt : std::optional(number);
}

std::string to_text(std::optional<std::uint64_t> number) {
  return number ? std::to_string(*number) : std::string(kInfinity);
}

bool is_octal(std::string_view text) { return notation_of(without_blanks_in_front(text)).base == 8; }

}  // namespace

std::optional<std::uint64_t> FileLimit::most() const { return std::max(soft, hard); }

tl::expected<FileLimit, IgnoredBecause> parse_file_limit_value(std::string_view value) {
  if (value.empty()) return tl::unexpected(IgnoredBecause::empty_limit);
  const auto parts = parts_of(value);
  const auto soft = parse_one(parts.soft);
  const auto hard = parts.hard ? parse_one(*parts.hard) : soft;
  if (!soft || !hard) return tl::unexpected(IgnoredBecause::no_limit);
  if (*soft > *hard) return tl::unexpected(IgnoredBecause::soft_above_hard);
  return FileLimit{unless_infinite(*soft), unless_infinite(*hard)};
}

std::string unit_section(std::string_view unit) {
  if (unit.empty()) return "[Manager]";
  const auto dot = unit.rfind('.');
  std::string type(dot == std::string_view::npos ? std::string_view() : unit.substr(dot + 1));
  if (!type.empty() && type.front() >= 'a' && type.front() <= 'z')
    type.front() = static_cast<char>(type.front() - 'a' + 'A');
  return "[" + type + "]";
}

std::string readable_file_limit(std::string_view value) {
  const auto limit = parse_file_limit_value(value);
  const auto [soft, hard] = parts_of(value);
  if (!limit || (!is_octal(soft) && !(hard && is_octal(*hard)))) return std::string(value);
  return to_text(limit->soft) + (hard ? ":" + to_text(limit->hard) : "");
}

}  // namespace tcpdiag
