// SPDX-License-Identifier: Apache-2.0
#include "daemon/nearest_name.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("the nearest name is the one with the fewest edits, the first of equals") {
  const std::vector<std::string> known = {"log_level", "log_format", "cpu_budget", "ab", "ba"};
  CHECK(nearest_name("loglevel", known) == "log_level");
  CHECK(nearest_name("cpu_bugdet", known) == "cpu_budget");
  CHECK(nearest_name("log_formt", known) == "log_format");
  CHECK(nearest_name("ab", known) == "ab");
  CHECK(nearest_name("b", known) == "ab");
  CHECK(nearest_name("", known) == "ab");
  CHECK(nearest_name("x", {}).empty());
  CHECK_FALSE(nearest_name(std::string(1 << 20, 'l'), known).empty());
}
