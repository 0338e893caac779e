// SPDX-License-Identifier: Apache-2.0
#include "collectors/sysctl_files.h"

#include "core/sysctls.h"
#include "tests/catch.h"

using namespace tcpdiag;

namespace {

constexpr std::size_t kMost = 100;

std::vector<std::string> shown(std::string_view text) {
  std::vector<std::string> shown;
  for (const auto& line : parse_sysctl_file("f", text, kMost).lines)
    shown.push_back(std::to_string(line.line) + " " + line.name + "=" + line.value);
  return shown;
}

// What people put there, in the forms in which they do.
constexpr std::string_view kWebServer =
    "# Web server tuning\n"
    "\n"
    "net.core.somaxconn = 65535\n"
    "net.ipv4.tcp_tw_recycle=1\n"
    "  net.ipv4.ip_local_port_range =  1024\t65000  \n"
    "; net.ipv4.tcp_syncookies = 0\n"
    "-net.netfilter.nf_conntrack_max = 262144\n"
    "net/ipv4/tcp_abort_on_flow = 1\r\n"
    "net.ipv4.tcp_congestion_control = bbr # not a comment";

}  // namespace

TEST_CASE("assignments of a sysctl file are read with their lines") {
  CHECK(shown(kWebServer) ==
        std::vector<std::string>{"3 net.core.somaxconn=65535", "4 net.ipv4.tcp_tw_recycle=1",
                                 "5 net.ipv4.ip_local_port_range=1024\t65000",
                                 "7 net.netfilter.nf_conntrack_max=262144", "8 net.ipv4.tcp_abort_on_flow=1",
                                 "9 net.ipv4.tcp_congestion_control=bbr # not a comment"});
  const auto file = parse_sysctl_file("/etc/sysctl.d/50-web.conf", kWebServer, kMost);
  CHECK(file.lines.front().file == "/etc/sysctl.d/50-web.conf");
  CHECK_FALSE(file.lines.front().exists);
  CHECK(file.cut == 0);
}

TEST_CASE("a name with slashes and one with dots mean the same, also where an interface has a dot") {
  CHECK(shown("net/ipv4/conf/eth0.100/rp_filter=1\nnet.ipv4.conf.eth0/100.rp_filter=2\n/net/core/"
              "somaxconn=3\n") == std::vector<std::string>{"1 net.ipv4.conf.eth0/100.rp_filter=1",
                                                           "2 net.ipv4.conf.eth0/100.rp_filter=2",
                                                           "3 net.core.somaxconn=3"});
  CHECK(sysctl_path("net.ipv4.conf.eth0/100.rp_filter") == "net/ipv4/conf/eth0.100/rp_filter");
}

TEST_CASE("a line that is no assignment and no comment is kept as one that is ignored") {
  const auto file =
      parse_sysctl_file("f", "\n   \n#a=1\n;a=1\nnet.core.somaxconn\n=1\n- = 1\n./ = 1\n a: 1 \n", kMost);
  CHECK(file.lines.empty());
  CHECK(file.cut == 0);
  std::vector<std::string> ignored;
  for (const auto& line : file.ignored) {
    CHECK(line.file == "f");
    CHECK(line.because == IgnoredBecause::no_assignment);
    ignored.push_back(std::to_string(line.line) + " " + line.text);
  }
  CHECK(ignored == std::vector<std::string>{"5 net.core.somaxconn", "6 =1", "7 - = 1", "8 ./ = 1", "9 a: 1"});
}

TEST_CASE("a key alone behind a '-' is taken out of patterns") {
  const auto file =
      parse_sysctl_file("f", "-net.ipv4.conf.eth0.rp_filter\n- net/core/somaxconn\n-a.b = 1\n", kMost);
  REQUIRE(file.lines.size() == 3);
  CHECK(file.lines[0].excludes);
  CHECK(file.lines[0].name == "net.ipv4.conf.eth0.rp_filter");
  CHECK(file.lines[1].excludes);
  CHECK(file.lines[1].name == "net.core.somaxconn");
  CHECK_FALSE(file.lines[2].excludes);
  CHECK(file.ignored.empty());
}

TEST_CASE("a value may be empty or hold an equals sign, and a key may be a pattern") {
  CHECK(shown("a=\n") == std::vector<std::string>{"1 a="});
  CHECK(shown("- kernel.x = 1 = 2\n") == std::vector<std::string>{"1 kernel.x=1 = 2"});
  CHECK(shown("net.ipv4.conf.*.rp_filter = 2\n") ==
        std::vector<std::string>{"1 net.ipv4.conf.*.rp_filter=2"});
}

TEST_CASE("a sysctl file cut at any byte has the lines before") {
  const auto whole = shown(kWebServer);
  for (std::size_t length = 0; length < kWebServer.size(); ++length) {
    const auto part = shown(kWebServer.substr(0, length));
    CAPTURE(length);
    REQUIRE(part.size() <= whole.size());
    for (std::size_t i = 0; i + 1 < part.size(); ++i) CHECK(part[i] == whole[i]);
  }
}

TEST_CASE("a sysctl file that is no text does no harm") {
  std::string garbage;
  for (int i = 0; i < 4096; ++i) garbage += static_cast<char>(i * 37 % 256);
  for (const auto& line : parse_sysctl_file("f", garbage, kMost).lines)
    CHECK(line.name.size() <= kMaxSysctlText);
}

TEST_CASE("more assignments than are kept, and longer ones, are counted") {
  const auto file = parse_sysctl_file("f", "a=1\nb=2\nc=3\nd=4\n", 2);
  CHECK(file.lines.size() == 2);
  CHECK(file.cut == 2);
  const auto longer = parse_sysctl_file("f", "a=" + std::string(kMaxSysctlText + 1, 'x') + "\nb=1\n", 2);
  CHECK(longer.lines.size() == 1);
  CHECK(longer.cut == 1);
}

TEST_CASE("keys that are secrets are not shown, and leave no recording") {
  const std::string text =
      "net.ipv4.tcp_fastopen_key = "
      "0123-4567\nnet/ipv6/conf/all/stable_secret=2001:db8::1\nnet.core.somaxconn=1";
  CHECK(shown(text) == std::vector<std::string>{"1 net.ipv4.tcp_fastopen_key=(hidden)",
                                                "2 net.ipv6.conf.all.stable_secret=(hidden)",
                                                "3 net.core.somaxconn=1"});
  CHECK(
      without_secrets(text) ==
      "net.ipv4.tcp_fastopen_key =(hidden)\nnet/ipv6/conf/all/stable_secret=(hidden)\nnet.core.somaxconn=1");
  CHECK(without_secrets(kWebServer) == kWebServer);
}

TEST_CASE("a secret in a line that is no assignment is not shown either") {
  const std::string text =
      "net.ipv4.tcp_fastopen_key: 0123-4567\nsysctl -w net.ipv4.tcp_fastopen_key=0123-4567\n";
  const auto file = parse_sysctl_file("f", text, kMost);
  REQUIRE(file.ignored.size() == 1);
  CHECK(file.ignored[0].text == "(hidden)");
  REQUIRE(file.lines.size() == 1);
  CHECK(file.lines[0].value == "(hidden)");
  CHECK(without_secrets(text) == "(hidden)\nsysctl -w net.ipv4.tcp_fastopen_key=(hidden)\n");
}

TEST_CASE("lines that are ignored are bounded, in number and in length") {
  std::string text = std::string(500, 'x') + "\n";
  for (std::size_t i = 0; i < HostConfig::kMaxIgnored + 4; ++i) text += "no assignment\n";
  const auto file = parse_sysctl_file("f", text, kMost);
  CHECK(file.ignored.size() == HostConfig::kMaxIgnored);
  CHECK(file.ignored[0].text.size() == IgnoredLine::kMaxText);
  CHECK(file.cut == 5);
}
