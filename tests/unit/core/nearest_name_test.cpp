// SPDX-License-Identifier: Apache-2.0
#include "core/nearest_name.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("the nearest name is the one with the fewest edits, the first of equals") {
  const std::vector<std::string> known = {"log_level", "log_format", "cpu_budget", "ab", "ba"};
  CHECK(nearest_name("loglevel", known) == "log_level");
  CHECK(nearest_name("cpu_bugdet", known) == "cpu_budget");
  CHECK(nearest_name("log_formt", known) == "log_format");
  CHECK(nearest_name("ab", known) == "ab");
  CHECK(nearest_name("log_leve", known) == "log_level");
}

TEST_CASE("a name that is far from every known one has no nearest name") {
  const std::vector<std::string> known = {"--help", "log_level", "cpu_budget", "ab", "abcdef"};
  CHECK(nearest_name("--foo", known).empty());
  CHECK(nearest_name("", known).empty());
  CHECK(nearest_name("b", known).empty());
  CHECK(nearest_name("abcdxy", known) == "abcdef");
  CHECK(nearest_name("abcxyz", known).empty());
  CHECK(nearest_name("x", {}).empty());
  CHECK(nearest_name(std::string(1 << 20, 'l'), known).empty());
}
