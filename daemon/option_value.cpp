// SPDX-License-Identifier: Apache-2.0
#include "daemon/option_value.h"

#include <array>
#include <charconv>
#include <cmath>

#include "core/utf8.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kLongestText = 80;
constexpr std::size_t kMostMembers = 8;

std::string to_text(double number) {
  std::array<char, 32> text{};
  constexpr double kExact = 1e15;  // the shortest form of a round number would be 1e+05
  const auto [end, error] =
      std::abs(number) < kExact && number == std::floor(number)
          ? std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed)
          : std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end};
}

template <class Items, class Render>
std::string joined(const Items& items, Render render) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& item : items) {
    if (shown != 0) text += ", ";
    if (++shown > kMostMembers) return text + "...";
    text += render(item);
  }
  return text;
}

struct Renderer {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(double value) const { return to_text(value); }
  std::string operator()(const std::string& value) const { return quote(value); }
  std::string operator()(const std::vector<std::string>& value) const {
    return "[" + joined(value, [](const std::string& item) { return quote(item); }) + "]";
  }
  std::string operator()(const Switches& value) const {
    const auto member = [](const auto& item) {
      return quote(item.first) + (item.second ? ": true" : ": false");
    };
    return "{" + joined(value.members, member) + "}";
  }
  std::string operator()(const OtherValue& value) const { return value.shown; }
};

}  // namespace

std::string quote(std::string_view text) {
  const auto shown = utf8_prefix(text, kLongestText);
  return '"' + one_line(shown) + (shown.size() < text.size() ? "...\"" : "\"");
}

std::string to_string(const OptionValue& value) { return std::visit(Renderer{}, value); }

}  // namespace tcpdiag
