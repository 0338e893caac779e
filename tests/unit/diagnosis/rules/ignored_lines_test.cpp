// SPDX-License-Identifier: Apache-2.0
#include "core/facts/host_config.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;

namespace {

constexpr auto kLine = "sysctl-line-ignored";
constexpr auto kConf = "sysctl-conf-not-applied";
constexpr auto kLimit = "file-limit-ignored";

// The first network namespace of a machine with these files.
HistoryBuilder with(HostConfig config) {
  HistoryBuilder history;
  history.sysctl("net.core.somaxconn", {4096})
      .sysctl("net.ipv4.tcp_max_orphans", {131072})
      .set(&Snapshot::processes, Processes{})
      .set(&Snapshot::config, std::move(config))
      .tick();
  return history;
}

SysctlLine line(const std::string& name, const std::string& value, std::optional<bool> exists = std::nullopt,
                const std::string& file = "/etc/sysctl.d/60-x.conf") {
  return {.file = file, .line = 3, .name = name, .value = value, .exists = exists};
}

IgnoredLine no_assignment(const std::string& text, const std::string& file = "/etc/sysctl.d/60-x.conf") {
  return {.file = file, .line = 3, .text = text, .unit = {}, .because = IgnoredBecause::no_assignment};
}

IgnoredLine no_limit(const std::string& text, IgnoredBecause because = IgnoredBecause::no_limit,
                     const std::string& file = "/etc/systemd/system/app.service") {
  return {.file = file, .line = 3, .text = text, .unit = "app.service", .because = because};
}

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

}  // namespace

TEST_CASE("a line of a sysctl file that does nothing is named with the one that is probably meant") {
  HostConfig pasted{.sysctls = {line("sysctl -w net.core.somaxconn", "65535")}};
  HostConfig marked{.sysctls = {line("\xef\xbb\xbfnet.core.somaxconn", "65535")}};
  HostConfig colon, blank;
  colon.ignored = {no_assignment("net.core.somaxconn: 65535")};
  blank.ignored = {no_assignment("net.core.somaxconn 65535")};
  for (const auto& config : {pasted, marked, colon, blank}) {
    const auto finding = only_finding(kLine, with(config).history());
    CHECK(finding.severity == Severity::info);
    CHECK(finding.subject.name == "net.core.somaxconn");
    CHECK_THAT(finding.summary, ContainsSubstring("/etc/sysctl.d/60-x.conf:3 does nothing: "));
    CHECK_THAT(finding.summary, ContainsSubstring("; \"net.core.somaxconn = 65535\" is probably meant."));
    REQUIRE(finding.advice.size() == 2);
    CHECK(finding.advice[0].command == "net.core.somaxconn = 65535");
  }
}

TEST_CASE("a value that the kernel refuses is named, without a guess") {
  HostConfig config{.sysctls = {line("net.ipv4.ip_local_port_range", "1024,65000", true)}};
  const auto finding = only_finding(kLine, with(config).history());
  CHECK(finding.summary ==
        "/etc/sysctl.d/60-x.conf:3 does nothing: the kernel refuses the value \"1024,65000\", and the "
        "setting stays as it is.");
  REQUIRE(finding.advice.size() == 1);
}

TEST_CASE("a number out of the range that the kernel has for it is named with the range") {
  for (const auto& [name, value, why] :
       {std::tuple("net.ipv4.tcp_syn_retries", "999", "it takes 1 to 127"),
        std::tuple("net.ipv4.ip_local_port_range", "61000 32768", "the last is below the first"),
        std::tuple("net.ipv4.ip_local_port_range", "1024 65536", "it takes 1 to 65535"),
        std::tuple("net.ipv4.tcp_max_tw_buckets", "99999999999", "it takes at most 2147483647"),
        std::tuple("net.ipv4.tcp_syncookies", "-1", "it takes 0 to 255"),
        std::tuple("net.ipv4.tcp_syncookies", "256", "it takes 0 to 255"),
        std::tuple("net.ipv4.tcp_tw_reuse", "3", "it takes 0 to 2"),
        std::tuple("net.ipv4.tcp_keepalive_probes", "500", "it takes 0 to 255"),
        std::tuple("fs.nr_open", "2147483647", "it takes 32 to 2147483584")}) {
    INFO(name << " = " << value);
    auto history = with({.sysctls = {line(name, value, true)}});
    const auto finding =
        only_finding(kLine, history.sysctl("net.ipv4.tcp_migrate_req", {0}).tick().history());
    CHECK(finding.subject.name == name);
    CHECK(finding.summary == "/etc/sysctl.d/60-x.conf:3 does nothing: the kernel refuses the value \"" +
                                 std::string(value) + "\", and the setting stays as it is: " + why + ".");
  }
}

TEST_CASE("a range that older kernels do not have is not told of them") {
  CHECK(clear(kLine, with({.sysctls = {line("net.ipv4.tcp_keepalive_probes", "500", true)}})));
}

TEST_CASE("of several numbers the kernel keeps those before the one that it refuses") {
  const auto finding = only_finding(
      kLine, with({.sysctls = {line("net.ipv4.tcp_rmem", "4096 131072 9999999999", true)}}).history());
  CHECK_THAT(finding.summary, ContainsSubstring("60-x.conf:3 does only a part: the kernel refuses") &&
                                  ContainsSubstring("from the wrong number on: it takes 1 to 2147483647."));
}

TEST_CASE("a TCP sysctl of which no more is known takes a number") {
  const auto finding =
      only_finding(kLine, with({.sysctls = {line("net.ipv4.tcp_mtu_probing", "1=2", true)}}).history());
  CHECK_THAT(finding.summary, ContainsSubstring("the kernel refuses the value \"1=2\""));
  for (const auto& fine : {line("net.ipv4.tcp_mtu_probing", "1 # on", true),
                           line("net.ipv4.tcp_allowed_congestion_control", "reno cubic", true),
                           line("net.ipv4.tcp_fastopen_key", "(hidden)", true)})
    CHECK(clear(kLine, with({.sysctls = {fine}})));
}

TEST_CASE("a line that resembles no assignment is named by its place") {
  HostConfig config;
  config.ignored = {no_assignment("[sysctl]")};
  const auto finding = only_finding(kLine, with(config).history());
  CHECK(finding.subject.name == "/etc/sysctl.d/60-x.conf:3");
  CHECK(finding.advice.size() == 1);
}

TEST_CASE("lines that work, comments behind a mark and files of packages are no mistakes") {
  HostConfig config{.sysctls = {line("net.core.somaxconn", "128  # was 4096", true),
                                line("net.ipv4.ip_local_port_range", "1024\t65000", true),
                                line("net.ipv4.conf.*.rp_filter", "2"),
                                line("net.core.somaxconn", "many", std::nullopt),
                                line("kernel.domainname", "a b", true),
                                line("net.core.somaxconn", "many", true, "/usr/lib/sysctl.d/50-x.conf")}};
  config.ignored = {no_assignment("\xef\xbb\xbf# tuning"), no_assignment("\xef\xbb\xbf"),
                    no_assignment("a: 1", "/usr/lib/sysctl.d/50-x.conf")};
  CHECK(clear(kLine, with(config)));
  CHECK(clear(kLine, with({})));
}

TEST_CASE("each setting is named once, and many lines are cut") {
  HostConfig config{
      .sysctls = {line("net.core.somaxconn", "a", true), line("net.core.somaxconn", "b", true)}};
  CHECK(verdict_of(kLine, with(config).history()).facts().size() == 1);
  for (std::uint32_t i = 0; i < 100; ++i) {
    config.ignored.push_back(no_assignment("x"));
    config.ignored.back().line = 100 + i;
  }
  CHECK(verdict_of(kLine, with(config).history()).facts().size() == Thresholds{}.ignored_lines_max);
}

TEST_CASE("sysctl-line-ignored cannot tell without the files or the settings") {
  CHECK_FALSE(verdict_of(kLine, with({}).deny(&Snapshot::config).tick().history()).known());
  CHECK_FALSE(verdict_of(kLine, with({}).deny(&NetnsView::settings).tick().history()).known());
}

TEST_CASE("a sysctl.conf that no boot applies is named where systemd boots") {
  HostConfig config{.sysctls = {line("net.core.somaxconn", "4096", true, "/etc/sysctl.conf"),
                                line("net.core.somaxconn", "8192", true)}};
  config.sysctls[0].at_boot = false;
  CHECK(clear(kConf, with(config)));
  config.systemd = true;
  const auto finding = only_finding(kConf, with(config).history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.subject.name == "/etc/sysctl.conf");
  CHECK_THAT(finding.summary, ContainsSubstring("has 1 assignment (the first is /etc/sysctl.conf:3)"));
  config.sysctls[0].at_boot = true;
  CHECK(clear(kConf, with(config)));
  CHECK_FALSE(verdict_of(kConf, with(config).deny(&Snapshot::config).tick().history()).known());
}

TEST_CASE("a limit of open files that systemd passes over is named with one that it takes") {
  for (const auto& [text, because, right] :
       {std::tuple("unlimited", IgnoredBecause::no_limit, "LimitNOFILE=infinity"),
        std::tuple("1M", IgnoredBecause::no_limit, "LimitNOFILE=1048576"),
        std::tuple("64k", IgnoredBecause::no_limit, "LimitNOFILE=65536"),
        std::tuple("\"65536\"", IgnoredBecause::no_limit, "LimitNOFILE=65536"),
        std::tuple("2048:1024", IgnoredBecause::soft_above_hard, "LimitNOFILE=1024:2048")}) {
    INFO(text);
    HostConfig config;
    config.ignored = {no_limit(text, because)};
    const auto finding = only_finding(kLimit, with(config).history());
    CHECK(finding.severity == Severity::info);
    CHECK(to_string(finding.subject.owner) == "app.service");
    CHECK_THAT(finding.summary,
               ContainsSubstring("/etc/systemd/system/app.service:3 does nothing for app.service: "));
    REQUIRE(finding.advice.size() == 1);
    CHECK(finding.advice[0].command == right);
  }
}

TEST_CASE("a limit in the wrong section or with a misspelt name is named with the right place and name") {
  HostConfig config;
  config.ignored = {no_limit("65536", IgnoredBecause::wrong_section),
                    no_limit("LimitNoFile=64k", IgnoredBecause::misspelt_limit)};
  config.ignored[1].line = 4;
  const auto facts = verdict_of(kLimit, with(config).history()).facts();
  REQUIRE(facts.size() == 2);
  CHECK(facts[0].values.at("why") ==
        "systemd reads it only under [Service], and here it is in another section");
  CHECK(facts[0].values.at("right_section") == "[Service]");
  CHECK(facts[0].values.at("right_line") == "LimitNOFILE=65536");
  CHECK(facts[1].values.at("why") == "\"LimitNoFile\" is not a systemd setting");
  CHECK(facts[1].values.at("right_line") == "LimitNOFILE=65536");
  config.ignored[1].text = "LimitNoFile=" + std::string(IgnoredLine::kMaxText - 12, '7');  // cut off
  CHECK_FALSE(verdict_of(kLimit, with(config).history()).facts()[1].values.contains("right_line"));
  config.ignored.pop_back();
  CHECK(only_finding(kLimit, with(config).history()).advice[0].action ==
        "Correct line 3 of /etc/systemd/system/app.service: it belongs under [Service].");
}

TEST_CASE("a limit that is no guess, an empty one, and one of the manager or of logins are named as well") {
  HostConfig config;
  config.ignored = {no_limit("many"),
                    no_limit("", IgnoredBecause::empty_limit, "/etc/systemd/system/b.service"),
                    no_limit("1M", IgnoredBecause::no_limit, "/etc/systemd/system.conf"),
                    no_limit("64k", IgnoredBecause::no_limit, "/etc/security/limits.conf")};
  config.ignored[2].unit = config.ignored[3].unit = "";
  const auto facts = verdict_of(kLimit, with(config).history()).facts();
  REQUIRE(facts.size() == 4);
  CHECK(facts[0].values.count("right_line") == 0);
  CHECK(facts[1].values.count("right_line") == 0);
  CHECK(facts[2].values.at("right_line") == "DefaultLimitNOFILE=1048576");
  CHECK(facts[3].values.at("right_line") == "nofile 65536");
}

TEST_CASE("a limit for logins that has a running service's name does nothing for the service") {
  HostConfig config{.login_limits = {{"redis", "soft", "/etc/security/limits.conf", 9, "65536"},
                                     {"*", "soft", "/etc/security/limits.conf", 10, "65536"}}};
  auto history = with(config);
  const auto running = [&](std::uint64_t soft_limit) {
    Process process{
        .pid = 7, .comm = "redis-server", .owner = system_unit("redis.service"), .soft_limit = soft_limit};
    history.set(&Snapshot::processes, Processes{.processes = {std::move(process)}}).tick();
  };
  running(1024);
  const auto finding = only_finding(kLimit, history.history());
  CHECK_THAT(finding.summary,
             ContainsSubstring("/etc/security/limits.conf:9 does nothing for redis.service"));
  REQUIRE(finding.advice.size() == 1);
  CHECK(finding.advice[0].command == "LimitNOFILE=65536");
  running(65536);
  CHECK(clear(kLimit, history));
}

TEST_CASE("file-limit-ignored is silent about packages, and cannot tell without files or processes") {
  HostConfig config;
  config.ignored = {no_limit("many", IgnoredBecause::no_limit, "/usr/lib/systemd/system/app.service"),
                    no_assignment("a: 1")};
  CHECK(clear(kLimit, with(config)));
  CHECK_FALSE(verdict_of(kLimit, with(config).deny(&Snapshot::config).tick().history()).known());
  CHECK_FALSE(verdict_of(kLimit, with(config).deny(&Snapshot::processes).tick().history()).known());
  auto some = with(config);
  some.set(&Snapshot::processes, Processes{.total = 4, .some_hidden = true}).tick();
  CHECK(verdict_of(kLimit, some.history()).unseen());
}
