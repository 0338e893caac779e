// SPDX-License-Identifier: Apache-2.0
#include "collectors/limits_conf.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

constexpr std::string_view kFile =
    "# /etc/security/limits.conf\n"
    "#<domain>      <type>  <item>         <value>\n"
    "*               soft    core            0\n"
    "*               soft    nofile          1024\n"
    "@students\t-\tNOFILE\tunlimited # as many as there are\n"
    "nginx           Hard    nofile          65536\n"
    "redis           both    nofile          65536\n"
    "redis           soft    nofile          64k\n"
    "redis           soft    nofile\n"
    "redis           -\n";

std::vector<std::string> shown(std::string_view text) {
  std::vector<std::string> shown;
  for (const auto& limit : parse_login_limits("f", text).limits)
    shown.push_back(std::to_string(limit.line) + " " + limit.domain + " " + limit.type + " " + limit.value);
  return shown;
}

}  // namespace

TEST_CASE("lines about open files are read from limits.conf, whatever their capitals and comments") {
  CHECK(shown(kFile) ==
        std::vector<std::string>{"4 * soft 1024", "5 @students - unlimited", "6 nginx hard 65536"});
}

TEST_CASE("a type or value that pam_limits does not take is kept as ignored") {
  const auto parsed = parse_login_limits("f", kFile);
  REQUIRE(parsed.ignored.size() == 2);
  CHECK(parsed.ignored[0].line == 7);
  CHECK(parsed.ignored[1].line == 8);
  CHECK(parsed.ignored[1].text == "64k");
  CHECK(parsed.ignored[1].because == IgnoredBecause::no_limit);
}

TEST_CASE("of limits.conf nothing but open files is kept, every line in its place") {
  const auto kept = only_login_limits(kFile);
  CHECK(kept.find("core") == std::string::npos);
  CHECK(shown(kept) == shown(kFile));
}

TEST_CASE("a limits.conf cut at any byte, and one that is no text, do no harm") {
  for (std::size_t length = 0; length < kFile.size(); ++length)
    CHECK(shown(kFile.substr(0, length)).size() <= 4);  // "64k" may have been cut to "64"
  std::string garbage;
  for (int i = 0; i < 4096; ++i) garbage += static_cast<char>(i * 37 % 256);
  CHECK(parse_login_limits("f", garbage).limits.empty());
}

TEST_CASE("limits of logins are bounded, and what is cut is counted") {
  std::string many;
  for (std::size_t i = 0; i < HostConfig::kMaxLogins + 3; ++i) many += "a soft nofile 1\n";
  const auto parsed = parse_login_limits("f", many + std::string(300, 'x') + " soft nofile x\n");
  CHECK(parsed.limits.size() == HostConfig::kMaxLogins);
  CHECK(parsed.cut == 3);
  CHECK(parse_login_limits("f", std::string(300, 'x') + " soft nofile 1\n").limits[0].domain.size() == 64);
}
