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

}  // namespace tcpdiag
