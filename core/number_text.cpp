// SPDX-License-Identifier: Apache-2.0
#include "core/number_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace tcpdiag {
namespace {

constexpr double kLongest = 1e15;

std::string with_decimals(double number, int decimals) {
  std::array<char, 64> text{};
  const bool fits = std::abs(number) < kLongest;  // a NaN is not less
  const auto length =
      std::snprintf(text.data(), text.size(), fits ? "%.*f" : "%.*g", fits ? decimals : 2, number);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

std::string number_text(double number) {
  if (number == std::floor(number)) return with_decimals(number, 0);
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
  duration = std::min<seconds>(duration, years(100'000));  // longer than anything that is known to last
  if (duration < minutes(2)) return std::to_string(duration.count()) + " s";
  if (duration < hours(2)) return std::to_string(round<minutes>(duration).count()) + " min";
  if (duration < hours(48)) return std::to_string(round<hours>(duration).count()) + " h";
  return std::to_string(round<hours>(duration).count() / 24) + " days";
}

}  // namespace tcpdiag
