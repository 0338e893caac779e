// SPDX-License-Identifier: Apache-2.0
#include "core/time_text.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "core/text.h"

namespace tcpdiag {
namespace {

/// Takes `digits` digits and then `mark`, if there is one, off `text`; empty when they are not there.
std::optional<unsigned> take_number(std::string_view& text, std::size_t digits, std::string_view mark) {
  if (text.size() < digits + mark.size() || text.substr(digits, mark.size()) != mark) return std::nullopt;
  const auto number = to_number<unsigned>(text.substr(0, digits));
  text.remove_prefix(number ? digits + mark.size() : 0);
  return number;
}

}  // namespace

std::string to_rfc3339(std::chrono::system_clock::time_point time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  const std::time_t unix_time = seconds.count();
  std::tm utc{};
  gmtime_r(&unix_time, &utc);
  std::array<char, 32> date{};
  const auto length = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>((milliseconds - seconds).count()));
  return std::string(date.data(), length) + fraction.data();
}

std::string to_utc_text(std::chrono::system_clock::time_point time) {
  const auto text = to_rfc3339(time);
  const auto day_end = text.find('T'), fraction = text.find('.');
  return text.substr(0, day_end) + " " + text.substr(day_end + 1, fraction - day_end - 1) + " UTC";
}

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = take_number(text, 4, "-");
  const auto month_number = year_number ? take_number(text, 2, "-") : std::nullopt;
  const auto day_number = month_number ? take_number(text, 2, "T") : std::nullopt;
  const auto hour = day_number ? take_number(text, 2, ":") : std::nullopt;
  const auto minute = hour ? take_number(text, 2, ":") : std::nullopt;
  const auto second = minute ? take_number(text, 2, "") : std::nullopt;
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  unsigned millisecond = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const auto fraction = take_number(text, 3, "");
    if (!fraction) return std::nullopt;
    millisecond = *fraction;
  }
  const year_month_day date{year(static_cast<int>(*year_number)), month(*month_number), day(*day_number)};
  if (text != "Z" || !date.ok()) return std::nullopt;
  return sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) + milliseconds(millisecond);
}

}  // namespace tcpdiag
