// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tcpdiag {

/// A counter of the kernel that has 32 bits, counted on in 64. It begins with what the first look finds.
class WrappingCounter {
 public:
  /// The total after a look that found `value`. An increase by half the range or more is none: the kernel's
  /// counter began anew (its module was loaded again), and all of `value` has been counted since.
  std::uint64_t advance(std::uint32_t value) {
    const std::uint32_t increase = value - last_;
    total_ += increase < kHalf ? increase : value;
    last_ = value;
    return total_;
  }

 private:
  static constexpr std::uint32_t kHalf = 1U << 31;

  std::uint32_t last_ = 0;
  std::uint64_t total_ = 0;
};

/// A counter of the kernel that is an `unsigned long`: it has 32 bits on a kernel of 32 bits and is counted
/// on beyond them; elsewhere it is what the kernel says.
class LongCounter {
 public:
  /// The total after a look that found `value`. One that is smaller than before has wrapped at 2^32 when it
  /// rose by less than half of that; else it began anew.
  std::uint64_t advance(std::uint64_t value) {
    if (value < last_) beyond_ = has_wrapped(value) ? beyond_ + kRange : 0;
    last_ = value;
    return beyond_ + value;
  }

 private:
  static constexpr std::uint64_t kRange = std::uint64_t{1} << 32;

  [[nodiscard]] bool has_wrapped(std::uint64_t value) const {
    return last_ < kRange && kRange - last_ + value < kRange / 2;
  }

  std::uint64_t last_ = 0;
  std::uint64_t beyond_ = 0;  // ranges that are full
};

}  // namespace tcpdiag
