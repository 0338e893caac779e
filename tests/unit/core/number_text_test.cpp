// SPDX-License-Identifier: Apache-2.0
#include "core/number_text.h"

#include <limits>

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("numbers, shares and durations are written as people write them") {
  CHECK(number_text(42) == "42");
  CHECK(number_text(-7) == "-7");
  CHECK(number_text(0.5) == "0.50");
  CHECK(number_text(12.34) == "12.3");
  CHECK(percent_text(0.43) == "43 %");
  CHECK(percent_text(0.001) == "0.1 %");
  CHECK(percent_text(0) == "0 %");
  CHECK(duration_text(std::chrono::seconds(119)) == "119 s");
  CHECK(duration_text(std::chrono::minutes(5)) == "5 min");
  CHECK(duration_text(std::chrono::hours(3)) == "3 h");
  CHECK(duration_text(std::chrono::hours(72)) == "3 days");
}

TEST_CASE("numbers that are beyond what people write are short all the same") {
  using Limits = std::numeric_limits<double>;
  CHECK(number_text(999999999999999) == "999999999999999");
  CHECK(number_text(18446744073709551615.0) == "1.8e+19");
  CHECK(number_text(Limits::max()) == "1.8e+308");
  CHECK(number_text(-Limits::max()) == "-1.8e+308");
  CHECK(number_text(Limits::infinity()) == "inf");
  CHECK(number_text(Limits::quiet_NaN()) == "nan");
  CHECK(percent_text(Limits::max()) == "inf %");
}

TEST_CASE("counts and bytes have words of their own") {
  CHECK(counted(1, "packet") == "1 packet");
  CHECK(counted(0, "packet") == "0 packets");
  CHECK(times_text(1) == "once");
  CHECK(times_text(2) == "2 times");
  CHECK(bytes_text(512) == "512 bytes");
  CHECK(bytes_text(8192) == "8 KiB");
  CHECK(bytes_text(2358583296.0) == "2.2 GiB");
  CHECK(bytes_text(1e18) == "909495 TiB");
}
