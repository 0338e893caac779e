// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

namespace tcpdiag {

/// The value of an environment variable (nullptr: it is not set) as a number above 0; empty when it is none.
inline std::optional<std::int64_t> environment_number(const char* value) {
  if (value == nullptr) return std::nullopt;
  const char* const last = value + std::strlen(value);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value, last, number);
  if (error != std::errc{} || end != last || number <= 0) return std::nullopt;
  return number;
}

}  // namespace tcpdiag
