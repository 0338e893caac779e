// SPDX-License-Identifier: Apache-2.0
// How much memory a value holds, from what members_of() says of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/describe.h"

namespace tcpdiag {

/// What it holds outside of itself: roughly, the allocator's own share is not in it.
template <class T>
std::size_t bytes_behind(const T& value);

inline std::size_t bytes_behind(const std::string& text) {
  constexpr std::size_t kInside = 15;  // such short ones are stored within
  return text.capacity() > kInside ? text.capacity() + 1 : 0;
}
template <class T>
std::size_t bytes_behind(const std::optional<T>& value) {
  return value ? bytes_behind(*value) : 0;
}
template <class T>
std::size_t bytes_behind(const std::vector<T>& values) {
  std::size_t bytes = values.capacity() * sizeof(T);
  if constexpr (!std::is_trivially_copyable_v<T>)
    for (const auto& value : values) bytes += bytes_behind(value);
  return bytes;
}

template <class T>
std::size_t bytes_behind(const T& value) {
  std::size_t bytes = 0;
  if constexpr (Described<T>)
    for_each_member(value, [&](const auto&, const auto& member) { bytes += bytes_behind(member); });
  else
    static_assert(std::is_trivially_copyable_v<T>, "nothing says what this value holds");
  return bytes;
}

}  // namespace tcpdiag
