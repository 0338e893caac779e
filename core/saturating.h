// SPDX-License-Identifier: Apache-2.0
// Arithmetic on numbers that the kernel, a recording or a user chose: a result that its type does not have
// becomes the nearest one that it has.
#pragma once

#include <concepts>
#include <limits>
#include <utility>

namespace tcpdiag {

template <std::integral T>
constexpr T saturating_add(T a, T b) {
  T sum{};
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

template <std::integral T>
constexpr T saturating_multiply(T a, T b) {
  T product{};
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a < 0) != (b < 0) ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

template <std::signed_integral T>
constexpr T saturating_abs(T value) {
  if (value == std::numeric_limits<T>::min()) return std::numeric_limits<T>::max();
  return value < 0 ? -value : value;
}

/// The whole part of `value`; 0 of what is not a number.
template <std::integral T>
constexpr T saturating_cast(double value) {
  using Limits = std::numeric_limits<T>;
  if (value != value) return 0;
  if (value >= static_cast<double>(Limits::max())) return Limits::max();
  if (value <= static_cast<double>(Limits::min())) return Limits::min();
  return static_cast<T>(value);
}

/// The same number, or the nearest one that `T` has.
template <std::integral T, std::integral From>
constexpr T saturating_cast(From value) {
  if (std::in_range<T>(value)) return static_cast<T>(value);
  return value < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

}  // namespace tcpdiag
