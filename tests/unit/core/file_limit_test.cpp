// SPDX-License-Identifier: Apache-2.0
#include "core/file_limit.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

// "1024:524288", with "inf" for as much as there is; or why it is passed over.
std::string taken(std::string_view value) {
  const auto limit = parse_file_limit_value(value);
  if (!limit) {
    switch (limit.error()) {
      case IgnoredBecause::soft_above_hard: return "soft above hard";
      case IgnoredBecause::empty_limit: return "empty";
      default: return "no limit";
    }
  }
  const auto text = [](std::optional<std::uint64_t> number) {
    return number ? std::to_string(*number) : "inf";
  };
  return text(limit->soft) + ":" + text(limit->hard);
}

}  // namespace

TEST_CASE("a limit of open files is a number, two, or infinity") {
  CHECK(taken("65536") == "65536:65536");
  CHECK(taken("1024:524288") == "1024:524288");
  CHECK(taken("infinity") == "inf:inf");
  CHECK(taken("1024:infinity") == "1024:inf");
  CHECK(taken("0") == "0:0");
  CHECK(taken("+5") == "5:5");
}

TEST_CASE("a limit may be written in C's notation, and with blanks in front of a number") {
  CHECK(taken("0x200000") == "2097152:2097152");
  CHECK(taken("0200000") == "65536:65536");
  CHECK(taken("0o17:0X20") == "15:32");
  CHECK(taken("0b101") == "5:5");
  CHECK(taken("1024: 2097152") == "1024:2097152");
  CHECK(taken(" 1024:\t4096") == "1024:4096");
}

TEST_CASE("what systemd passes over is no limit, and the reason is known") {
  for (const auto* bad :
       {"unlimited", "1M", "64K", "\"65536\"", "-1", "1:", ":1", "1:2:3", "1 2", "1024 :2048", "infinity:x",
        "09", "0x", "99999999999999999999", "18446744073709551615", "65536 # more"}) {
    INFO(bad);
    CHECK(taken(bad) == "no limit");
  }
  CHECK(taken("2097152:1024") == "soft above hard");
  CHECK(taken("infinity:1024") == "soft above hard");
  CHECK(taken("") == "empty");
}

TEST_CASE("the most of a limit is its larger number, infinity aside") {
  CHECK(parse_file_limit_value("1024:4096")->most() == 4096);
  CHECK(parse_file_limit_value("1024:infinity")->most() == 1024);
  CHECK_FALSE(parse_file_limit_value("infinity")->most());
}

TEST_CASE("an octal limit is shown in decimal, any other as it is written") {
  CHECK(readable_file_limit("0200000") == "65536");
  CHECK(readable_file_limit("010:0x20") == "8:32");
  CHECK(readable_file_limit("0x200000") == "0x200000");
  CHECK(readable_file_limit("1024: 2048") == "1024: 2048");
  CHECK(readable_file_limit("0") == "0");
  CHECK(readable_file_limit("1M") == "1M");
}
