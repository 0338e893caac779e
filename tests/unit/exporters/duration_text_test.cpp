// SPDX-License-Identifier: Apache-2.0
#include "exporters/duration_text.h"

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

TEST_CASE("times are read as Go reads them", "[web]") {
  CHECK(parse_go_duration("0") == 0ns);
  CHECK(parse_go_duration("0s") == 0ns);
  CHECK(parse_go_duration("7ns") == 7ns);
  CHECK(parse_go_duration("7us") == 7us);
  CHECK(parse_go_duration("7\u00b5s") == 7us);
  CHECK(parse_go_duration("7\u03bcs") == 7us);
  CHECK(parse_go_duration("100ms") == 100ms);
  CHECK(parse_go_duration("1.5s") == 1500ms);
  CHECK(parse_go_duration(".5s") == 500ms);
  CHECK(parse_go_duration("1h2m3s") == 3723s);
  CHECK(parse_go_duration("8760h") == 8760h);
}

TEST_CASE("what is no time, or too long a one, is refused", "[web]") {
  for (const auto* text : {"", "1", "s", "1x", "-1s", "+1s", "1 s", "1e3s", "1.2.3s", "..s", "1s2", "s1",
                           "infs", "nans", "0x1s", "9999999h", "99999999999999999999999999999999999999h"})
    CHECK_FALSE(parse_go_duration(text));
}
