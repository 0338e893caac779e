// SPDX-License-Identifier: Apache-2.0
#include "core/facts/host_config.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;

namespace {

constexpr auto kHarm = "sysctl-harm-at-boot";

SysctlLine line(const std::string& name, const std::string& value,
                const std::string& file = "/etc/sysctl.d/60-x.conf") {
  return {.file = file, .line = 3, .name = name, .value = value, .exists = true};
}

// A machine on which all is well now, and whose files say this.
HistoryBuilder with(std::vector<SysctlLine> lines) {
  HistoryBuilder history;
  history.sysctl("net.core.somaxconn", {4096})
      .sysctl("net.ipv4.tcp_migrate_req", {0})
      .sysctl("net.ipv4.tcp_syncookies", {1})
      .sysctl("net.ipv4.tcp_timestamps", {1})
      .sysctl("net.ipv4.tcp_tw_reuse", {2})
      .sysctl("net.ipv4.ip_local_port_range", {32768, 60999})
      .sysctl("net.ipv4.tcp_rmem", {4096, 131072, 6291456})
      .sysctl("net.ipv4.tcp_wmem", {4096, 16384, 4194304})
      .set(&Snapshot::config, HostConfig{.sysctls = std::move(lines)})
      .tick();
  return history;
}

bool clear(const HistoryBuilder& history) { return verdict_of(kHarm, history.history()).is_clear(); }

}  // namespace

TEST_CASE("a file that asks for harm and is not applied yet is named with what will be") {
  const auto finding = only_finding(kHarm, with({line("net.ipv4.tcp_syncookies", "0 # off")}).history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.subject.name == "net.ipv4.tcp_syncookies");
  CHECK(finding.summary ==
        "The next boot sets net.ipv4.tcp_syncookies to 0 (/etc/sysctl.d/60-x.conf:3); now it is 1: SYN "
        "cookies are off (sysctl-syncookies-off).");
  REQUIRE(finding.advice.size() == 2);
  CHECK(finding.advice[0].command == "net.ipv4.tcp_syncookies = 1");
  CHECK(finding.advice[1].command == "tcpdiag explain sysctl-syncookies-off");
}

TEST_CASE("a small range of ports, lower limits and small buffers are seen before they are applied") {
  for (const auto& [name, value] :
       {std::pair("net.ipv4.ip_local_port_range", "40000 40199"), std::pair("net.core.somaxconn", "128"),
        std::pair("net.ipv4.tcp_rmem", "4096 4096 6291456")}) {
    INFO(name);
    CHECK(only_finding(kHarm, with({line(name, value)}).history()).subject.name == name);
  }
}

TEST_CASE("a unit that gets fewer files than it asks for after the next boot is seen before") {
  auto history = with({line("fs.nr_open", "1024")});
  HostConfig config{.sysctls = {line("fs.nr_open", "1024")},
                    .file_limits = {{"app.service", "/etc/systemd/system/app.service", 7, "65536"}}};
  history.sysctl("fs.nr_open", {1048576}).set(&Snapshot::processes, Processes{});
  CHECK(clear(history.tick()));
  history.set(&Snapshot::config, config).tick();
  CHECK_THAT(only_finding(kHarm, history.history()).summary,
             ContainsSubstring("sets fs.nr_open to 1024 (/etc/sysctl.d/60-x.conf:3); now it is 1048576") &&
                 ContainsSubstring("(sysctl-nr-open-below-unit)"));
  history.sysctl("fs.nr_open", {1024}).tick();
  CHECK(clear(history));  // it is so already
}

TEST_CASE("harm that two settings do together is laid to the one that changes") {
  auto history = with({line("net.ipv4.tcp_tw_reuse", "1")});
  history.sysctl("net.ipv4.tcp_timestamps", {0}).tick();
  CHECK(only_finding(kHarm, history.history()).subject.name == "net.ipv4.tcp_tw_reuse");
}

TEST_CASE("a file of a package, and a pattern, are overridden rather than changed") {
  for (const auto& found : {line("net.ipv4.tcp_syncookies", "0", "/usr/lib/sysctl.d/50-x.conf"),
                            line("net.ipv4.tcp_synco*", "0")}) {
    const auto finding = only_finding(kHarm, with({found}).history());
    REQUIRE(finding.advice.size() == 2);
    CHECK(finding.advice[0].command == "echo 'net.ipv4.tcp_syncookies = 1' >> /etc/sysctl.d/zz-tcp.conf");
  }
}

TEST_CASE("only the line that counts at boot is judged") {
  CHECK(clear(with({})));
  CHECK(clear(with({line("net.ipv4.tcp_syncookies", "0"), line("net.ipv4.tcp_syncookies", "1")})));
  CHECK(clear(with({line("net.ipv4.tcp_syncookies", "2"), line("net.core.somaxconn", "65535")})));
  CHECK(clear(with({line("net.ipv4.tcp_syncookies", "off")})));
  CHECK(clear(with({line("net.ipv4.tcp_max_syn_backlog", "0")})));  // not in this kernel
  auto never = line("net.ipv4.tcp_syncookies", "0");
  never.at_boot = false;
  CHECK(clear(with({never})));
  auto excluded = line("net.ipv4.tcp_syncookies", "");
  excluded.excludes = true;
  CHECK(clear(with({excluded, line("net.ipv4.tcp_synco*", "0")})));
}

TEST_CASE("harm that is done now is the other findings' business") {
  auto history = with({line("net.ipv4.tcp_syncookies", "0")});
  CHECK(clear(history.sysctl("net.ipv4.tcp_syncookies", {0}).tick()));
  auto worse = with({line("net.core.somaxconn", "64")});
  CHECK(clear(worse.sysctl("net.core.somaxconn", {128}).tick()));
}

TEST_CASE("files are for the host's own namespace") {
  auto history = with({line("net.ipv4.tcp_syncookies", "0")});
  auto web = history.snapshot().namespaces.front();
  web.id = NetnsId(1);
  web.name = "web";
  history.snapshot().namespaces.push_back(web);
  history.tick();
  const auto& rule = rule_of(kHarm);
  CHECK(rule.evaluate(Window(history.history(), NetnsId(1), rule.lookback), Thresholds{}).is_clear());
}

TEST_CASE("sysctl-harm-at-boot cannot tell without the files or the settings") {
  auto no_files = with({});
  CHECK_FALSE(verdict_of(kHarm, no_files.deny(&Snapshot::config).tick().history()).known());
  auto no_settings = with({});
  CHECK_FALSE(verdict_of(kHarm, no_settings.deny(&NetnsView::settings).tick().history()).known());
}
