// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpdiag {

/// The value of an environment variable (nullptr: it is not set) as a number above 0; empty when it is none.
inline std::optional<std::int64_t> environment_number(const char* value) {
  if (value == nullptr) return std::nullopt;
  const std::string_view text(value);
  const char* const last = text.data() + text.size();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{} || end != last || number <= 0) return std::nullopt;
  return number;
}

}  // namespace tcpdiag
