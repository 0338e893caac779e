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
