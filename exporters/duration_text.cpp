// SPDX-License-Identifier: Apache-2.0
#include "exporters/duration_text.h"

#include <algorithm>
#include <charconv>

namespace tcpdiag {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};
constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"\u00b5s", 1e3}, {"\u03bcs", 1e3},
                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},      {"h", 3600e9}};
constexpr double kLongest = 366 * 24 * 3600e9;

}  // namespace

std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  if (text == "0") return std::chrono::nanoseconds{};
  if (text.empty()) return std::nullopt;
  double sum = 0;
  while (!text.empty()) {
    const auto number_end = std::min(text.find_first_not_of("0123456789."), text.size());
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.begin(), text.begin() + number_end, number, std::chars_format::fixed);
    if (error != std::errc{} || end != text.begin() + number_end) return std::nullopt;
    text.remove_prefix(number_end);
    const auto name = text.substr(0, text.find_first_of("0123456789."));
    const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
    if (unit == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(name.size());
    sum += number * unit->nanoseconds;
  }
  if (!(sum <= kLongest)) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(sum));
}

}  // namespace tcpdiag
