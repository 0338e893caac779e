// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>

namespace tcpdiag {
namespace {

// A text or a part of it: what it says, and whether all names outside of its own brackets are known.
struct Rendered {
  std::string text;
  bool complete = true;
};

using ValueOf = std::function<std::optional<std::string>(std::string_view)>;

Rendered render_choice(std::string_view& text, const ValueOf& value);

// Takes the name off `text`, and the brace that closes it.
void render_name(std::string_view& text, const ValueOf& value, Rendered& out) {
  const auto name = text.substr(0, text.find('}'));
  text.remove_prefix(std::min(text.size(), name.size() + 1));
  const auto known = value(name);
  out.text += known.value_or("?");
  out.complete = out.complete && known;
}

// Renders `text` up to the first of `ends` that is its own, and takes that much off it.
Rendered render(std::string_view& text, const ValueOf& value, std::string_view ends) {
  Rendered out;
  while (!text.empty()) {
    const auto special = std::min(text.find_first_of("{[\\" + std::string(ends)), text.size());
    out.text += text.substr(0, special);
    text.remove_prefix(special);
    if (text.empty() || ends.find(text.front()) != std::string_view::npos) break;
    const char mark = text.front();
    text.remove_prefix(1);
    if (mark == '\\') {
      out.text += text.substr(0, 1);
      text.remove_prefix(std::min<std::size_t>(text.size(), 1));
    } else if (mark == '[')
      out.text += render_choice(text, value).text;
    else
      render_name(text, value, out);
  }
  return out;
}

// The first complete one of the parts before the closing bracket, which is taken off too; or nothing.
Rendered render_choice(std::string_view& text, const ValueOf& value) {
  std::optional<Rendered> chosen;
  while (!text.empty()) {
    auto part = render(text, value, "|]");
    if (part.complete && !chosen) chosen = std::move(part);
    const char end = text.empty() ? ']' : text.front();
    text.remove_prefix(std::min<std::size_t>(text.size(), 1));
    if (end == ']') break;
  }
  return chosen.value_or(Rendered{});
}

Rendered render(std::string_view text, const Values& values) {
  const auto value = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
  return render(text, value, "");
}

std::string with_decimals(double number, int decimals) {
  std::array<char, 64> text{};
  const auto length = std::snprintf(text.data(), text.size(), "%.*f", decimals, number);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

std::string fill_in(std::string_view text, const Values& values) { return render(text, values).text; }

bool can_fill_in(std::string_view text, const Values& values) { return render(text, values).complete; }

std::string as_pattern(std::string_view text) {
  return render(text, [](std::string_view name) { return "<" + std::string(name) + ">"; }, "").text;
}

std::string number_text(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15) return with_decimals(number, 0);
  return with_decimals(number, std::abs(number) < 10 ? 2 : 1);
}

std::string percent_text(double ratio) {
  const auto percent = ratio * 100;
  return with_decimals(percent, percent > 0 && percent < 1 ? 1 : 0) + " %";
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string times_text(std::uint64_t count) { return count == 1 ? "once" : counted(count, "time"); }

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {" bytes", " KiB", " MiB", " GiB", " TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  const bool whole = bytes >= 100 || bytes == std::floor(bytes);
  return with_decimals(bytes, whole ? 0 : 1) + kUnits.at(unit);
}

std::string duration_text(std::chrono::seconds duration) {
  using namespace std::chrono;
  if (duration < minutes(2)) return std::to_string(duration.count()) + " s";
  if (duration < hours(2)) return std::to_string(round<minutes>(duration).count()) + " min";
  if (duration < hours(48)) return std::to_string(round<hours>(duration).count()) + " h";
  return std::to_string(round<hours>(duration).count() / 24) + " days";
}

}  // namespace tcpdiag
