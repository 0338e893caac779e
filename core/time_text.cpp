// SPDX-License-Identifier: Apache-2.0
#include "core/time_text.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace tcpdiag {

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

}  // namespace tcpdiag
