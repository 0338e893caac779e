// SPDX-License-Identifier: Apache-2.0
#include "core/time_text.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("a moment is shown in UTC, with milliseconds that are rounded down") {
  using Time = std::chrono::system_clock::time_point;
  using std::chrono::microseconds;
  CHECK(to_rfc3339(Time(microseconds(1767312245678999))) == "2026-01-02T00:04:05.678Z");
  CHECK(to_rfc3339(Time(microseconds(1767312245007000))) == "2026-01-02T00:04:05.007Z");
  CHECK(to_rfc3339(Time()) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(Time(microseconds(-1))) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a moment for people is of the second, in UTC") {
  CHECK(to_utc_text(std::chrono::system_clock::time_point(std::chrono::milliseconds(1767312245678))) ==
        "2026-01-02 00:04:05 UTC");
}

TEST_CASE("a moment that was shown is read back") {
  using std::chrono::milliseconds;
  using Time = std::chrono::system_clock::time_point;
  for (const auto time : {Time(), Time(milliseconds(1767312245678)), Time(milliseconds(951782400000)),
                          Time(milliseconds(4102444799999)), Time(milliseconds(-1))})
    CHECK(parse_rfc3339(to_rfc3339(time)) == time);
  CHECK(parse_rfc3339("2026-01-02T00:04:05Z") == Time(milliseconds(1767312245000)));
}

TEST_CASE("what is no moment of that form is none") {
  const std::string whole = "2026-01-02T00:04:05.678Z";
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(parse_rfc3339(whole.substr(0, length)));
  for (const auto* bad :
       {"2026-01-02T00:04:05.678Zx", "2026-01-02 00:04:05Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T00:60:00Z", "2026-01-02T00:00:61Z",
        "2026-01-02T00:04:05.67Z", "2026-01-02T00:04:05.6789Z", "-026-01-02T00:04:05Z",
        "2026-01--2T00:04:05Z", "2026-01-02T00:04:05+00:00", "2O26-01-02T00:04:05Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad));
  }
}
