// SPDX-License-Identifier: Apache-2.0
#include "core/saturating.h"

#include <cmath>
#include <cstdint>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
constexpr auto kMostUnsigned = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE("a result that a type has is that result") {
  CHECK(saturating_add<std::int64_t>(2, -3) == -1);
  CHECK(saturating_multiply<std::int64_t>(2, -3) == -6);
  CHECK(saturating_add<std::uint64_t>(2, 3) == 5);
  CHECK(saturating_abs<std::int64_t>(-3) == 3);
  CHECK(saturating_cast<std::int64_t>(-2.9) == -2);
  CHECK(saturating_cast<std::int64_t>(std::uint64_t{7}) == 7);
}

TEST_CASE("a result that a type does not have is the nearest one") {
  CHECK(saturating_add(kMost, std::int64_t{1}) == kMost);
  CHECK(saturating_add(kLeast, std::int64_t{-1}) == kLeast);
  CHECK(saturating_add(kMostUnsigned, std::uint64_t{1}) == kMostUnsigned);
  CHECK(saturating_multiply(kMost, std::int64_t{2}) == kMost);
  CHECK(saturating_multiply(kMost, std::int64_t{-2}) == kLeast);
  CHECK(saturating_multiply(kLeast, std::int64_t{-1}) == kMost);
  CHECK(saturating_multiply(kMostUnsigned, std::uint64_t{2}) == kMostUnsigned);
  CHECK(saturating_abs(kLeast) == kMost);
  CHECK(saturating_cast<std::int64_t>(1e300) == kMost);
  CHECK(saturating_cast<std::int64_t>(-1e300) == kLeast);
  CHECK(saturating_cast<std::int64_t>(9223372036854775808.0) == kMost);
  CHECK(saturating_cast<std::uint64_t>(-1.0) == 0);
  CHECK(saturating_cast<std::uint64_t>(std::nan("")) == 0);
  CHECK(saturating_cast<std::int64_t>(kMostUnsigned) == kMost);
  CHECK(saturating_cast<std::uint64_t>(std::int64_t{-1}) == 0);
}
