// SPDX-License-Identifier: Apache-2.0
#include "core/facts/host_config.h"
#include "core/facts/memory_info.h"
#include "core/facts/socket_usage.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;

namespace {

constexpr std::uint64_t kGigabyte = 1U << 30U;

// A machine of 24 GiB with the values that Linux 6.18 chooses for it.
HistoryBuilder untouched() {
  HistoryBuilder history;
  history.sysctl("net.core.somaxconn", {4096})
      .sysctl("net.ipv4.tcp_syncookies", {1})
      .sysctl("net.ipv4.tcp_abort_on_overflow", {0})
      .sysctl("net.ipv4.tcp_migrate_req", {0})
      .sysctl("net.ipv4.tcp_ehash_entries", {262144})
      .sysctl("net.ipv4.tcp_max_tw_buckets", {131072})
      .sysctl("net.ipv4.tcp_max_orphans", {131072})
      .sysctl("net.ipv4.tcp_tw_reuse", {2})
      .sysctl("net.ipv4.tcp_tw_reuse_delay", {1000})
      .sysctl("net.ipv4.tcp_timestamps", {1})
      .sysctl("net.ipv4.tcp_mem", {287901, 383868, 575802})
      .sysctl("net.ipv4.tcp_rmem", {4096, 131072, 33554432})
      .sysctl("net.ipv4.tcp_wmem", {4096, 16384, 4194304})
      .sysctl("net.core.optmem_max", {131072})
      .sysctl("net.ipv4.ip_local_port_range", {32768, 60999})
      .sysctl("fs.file-max", {2466186})
      .set(&Snapshot::memory, MemoryInfo{.total_bytes = 24 * kGigabyte})
      .set(&NetnsView::sockets, SocketUsage{.memory_bytes = 0, .page_bytes = 4096})
      .set(&Snapshot::config, HostConfig{});
  return history;
}

void lose(HistoryBuilder& history, std::string_view name) {
  auto settings = *history.snapshot().namespaces.front().settings.get();
  std::erase_if(settings.sysctls, [&](const Sysctl& sysctl) { return sysctl.name == name; });
  history.set(&NetnsView::settings, std::move(settings));
}

struct Lint {
  std::string_view id, setting;
  std::vector<std::int64_t> wrong;
  Severity severity;
  std::string_view command;
};

const std::vector<Lint> kLints = {
    {"sysctl-syncookies-off",
     "net.ipv4.tcp_syncookies",
     {0},
     Severity::warning,
     "sysctl -w net.ipv4.tcp_syncookies=1"},
    {"sysctl-abort-on-overflow",
     "net.ipv4.tcp_abort_on_overflow",
     {1},
     Severity::warning,
     "sysctl -w net.ipv4.tcp_abort_on_overflow=0"},
    {"sysctl-somaxconn-low",
     "net.core.somaxconn",
     {128},
     Severity::warning,
     "sysctl -w net.core.somaxconn=4096"},
    {"sysctl-somaxconn-low",
     "net.core.somaxconn",
     {2048},
     Severity::info,
     "sysctl -w net.core.somaxconn=8192"},
    {"sysctl-max-tw-buckets-low",
     "net.ipv4.tcp_max_tw_buckets",
     {5000},
     Severity::warning,
     "sysctl -w net.ipv4.tcp_max_tw_buckets=131072"},
    {"sysctl-max-orphans-low",
     "net.ipv4.tcp_max_orphans",
     {65536},
     Severity::info,
     "sysctl -w net.ipv4.tcp_max_orphans=131072"},
    {"sysctl-file-max-low", "fs.file-max", {100000}, Severity::info, "sysctl -w fs.file-max=2516582"},
    {"sysctl-file-max-low", "fs.file-max", {4096}, Severity::warning, "sysctl -w fs.file-max=2516582"},
    {"sysctl-optmem-max-low",
     "net.core.optmem_max",
     {20480},
     Severity::warning,
     "sysctl -w net.core.optmem_max=131072"},
    {"sysctl-tcp-buffers-default-min",
     "net.ipv4.tcp_rmem",
     {4096, 4096, 16777216},
     Severity::warning,
     "sysctl -w net.ipv4.tcp_rmem='4096 131072 16777216'"},
    {"sysctl-tcp-buffers-default-min",
     "net.ipv4.tcp_wmem",
     {4096, 4096, 4194304},
     Severity::warning,
     "sysctl -w net.ipv4.tcp_wmem='4096 16384 4194304'"},
    {"sysctl-tcp-mem-above-ram",
     "net.ipv4.tcp_mem",
     {4096, 87380, 16777216},
     Severity::warning,
     "sysctl -w net.ipv4.tcp_mem='294912 393216 589824'"},
    {"sysctl-timestamps-off-with-tw-reuse",
     "net.ipv4.tcp_timestamps",
     {0},
     Severity::warning,
     "sysctl -w net.ipv4.tcp_timestamps=1"},
    {"sysctl-port-range-small",
     "net.ipv4.ip_local_port_range",
     {40000, 40199},
     Severity::warning,
     "sysctl -w net.ipv4.ip_local_port_range='32768 60999'"},
    {"sysctl-port-range-small",
     "net.ipv4.ip_local_port_range",
     {30000, 42000},
     Severity::info,
     "sysctl -w net.ipv4.ip_local_port_range='32768 60999'"},
};

// Everything that a rule about timestamps looks at beside them.
HistoryBuilder wrong_as(const Lint& lint) {
  auto history = untouched();
  if (lint.setting == "net.ipv4.tcp_timestamps") history.sysctl("net.ipv4.tcp_tw_reuse", {1});
  history.sysctl(lint.setting, lint.wrong);
  return history;
}

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

}  // namespace

TEST_CASE("a setting that does harm is found, with the command that mends it") {
  for (const auto& lint : kLints) {
    INFO(lint.id << " " << lint.wrong.front());
    const auto finding = only_finding(lint.id, wrong_as(lint).tick().history());
    CHECK(finding.severity == lint.severity);
    CHECK(finding.subject.kind == SubjectKind::setting);
    CHECK(finding.subject.name == lint.setting);
    REQUIRE(!finding.advice.empty());
    CHECK(finding.advice[0].command == lint.command);
    CHECK(finding.summary.find('?') == std::string::npos);
    REQUIRE(!finding.evidence.empty());
    CHECK(finding.evidence.front().value == static_cast<double>(lint.wrong.front()));
  }
}

TEST_CASE("a machine with the kernel's own values has no finding about its settings") {
  const auto history = untouched().tick();
  for (const auto& lint : kLints) {
    INFO(lint.id);
    CHECK(clear(lint.id, history));
  }
}

TEST_CASE("what is raised above the kernel's own value is no mistake") {
  auto history = untouched();
  history.sysctl("net.core.somaxconn", {65535})
      .sysctl("net.ipv4.tcp_max_tw_buckets", {2000000})
      .sysctl("net.ipv4.tcp_max_orphans", {262144})
      .sysctl("net.ipv4.tcp_mem", {1000000, 2000000, 4000000})
      .sysctl("net.ipv4.tcp_rmem", {16384, 524288, 67108864})
      .sysctl("net.ipv4.tcp_wmem", {16384, 16384, 67108864})
      .sysctl("net.core.optmem_max", {1048576})
      .sysctl("fs.file-max", {9223372036854775807})
      .sysctl("net.ipv4.tcp_syncookies", {2})
      .sysctl("net.ipv4.ip_local_port_range", {1024, 65535})
      .tick();
  for (const auto& lint : kLints) {
    INFO(lint.id);
    CHECK(clear(lint.id, history));
  }
}

TEST_CASE("a receive buffer that begins small, but above its minimum, is a choice and no mistake") {
  auto history = untouched();
  CHECK(clear("sysctl-tcp-buffers-default-min",
              history.sysctl("net.ipv4.tcp_rmem", {4096, 16384, 33554432}).tick()));
}

TEST_CASE("a setting that this kernel or namespace does not have is not judged") {
  for (const auto& lint : kLints) {
    INFO(lint.id);
    auto history = untouched();
    lose(history, lint.setting);
    CHECK(clear(lint.id, history.tick()));
  }
}

TEST_CASE("the rules about settings cannot tell when settings, or the one in question, cannot be read") {
  for (const auto& lint : kLints) {
    INFO(lint.id);
    auto denied = wrong_as(lint);
    CHECK_FALSE(verdict_of(lint.id, denied.deny(&NetnsView::settings).tick().history()).known());
    auto unread = untouched();
    lose(unread, lint.setting);
    auto settings = *unread.snapshot().namespaces.front().settings.get();
    settings.unread.push_back({lint.setting, Error{Errc::denied, "test: denied"}});
    unread.set(&NetnsView::settings, std::move(settings)).tick();
    CHECK_FALSE(verdict_of(lint.id, unread.history()).known());
  }
  CHECK_FALSE(verdict_of("sysctl-syncookies-off", HistoryBuilder().tick().history()).known());
}

TEST_CASE("limits that depend on the machine's memory cannot be told without it") {
  for (const auto& [id, setting, wrong] :
       {std::tuple("sysctl-file-max-low", "fs.file-max", std::vector<std::int64_t>{100}),
        std::tuple("sysctl-tcp-mem-above-ram", "net.ipv4.tcp_mem",
                   std::vector<std::int64_t>{1, 2, 99999999})}) {
    INFO(id);
    auto denied = untouched();
    denied.sysctl(setting, wrong).deny(&Snapshot::memory).tick();
    CHECK_FALSE(verdict_of(id, denied.history()).known());
    auto empty = untouched();
    empty.sysctl(setting, wrong).set(&Snapshot::memory, MemoryInfo{}).tick();
    CHECK_FALSE(verdict_of(id, empty.history()).known());
  }
  auto no_page = untouched();
  no_page.sysctl("net.ipv4.tcp_mem", {1, 2, 99999999}).set(&NetnsView::sockets, SocketUsage{}).tick();
  CHECK_FALSE(verdict_of("sysctl-tcp-mem-above-ram", no_page.history()).known());
}

TEST_CASE("a kernel that may be old is held to the values that old kernels had") {
  auto old = untouched();
  for (const auto* newer :
       {"net.ipv4.tcp_migrate_req", "net.ipv4.tcp_ehash_entries", "net.ipv4.tcp_tw_reuse_delay"})
    lose(old, newer);
  old.sysctl("net.core.somaxconn", {128})
      .sysctl("net.ipv4.tcp_max_tw_buckets", {8192})
      .sysctl("net.ipv4.tcp_max_orphans", {8192})
      .sysctl("net.core.optmem_max", {20480})
      .tick();
  for (const auto* id : {"sysctl-somaxconn-low", "sysctl-max-tw-buckets-low", "sysctl-max-orphans-low",
                         "sysctl-optmem-max-low"}) {
    INFO(id);
    CHECK(clear(id, old));
  }
  CHECK_FALSE(clear("sysctl-somaxconn-low", old.sysctl("net.core.somaxconn", {100}).tick()));
}

TEST_CASE("the size of a table that a namespace shares with the first one is shown as a negative number") {
  auto history = untouched();
  history.sysctl("net.ipv4.tcp_ehash_entries", {-262144}).tick();
  CHECK(clear("sysctl-max-tw-buckets-low", history));
  CHECK_FALSE(
      clear("sysctl-max-tw-buckets-low", history.sysctl("net.ipv4.tcp_max_tw_buckets", {5000}).tick()));
}

TEST_CASE("a setting's line in sysctl.d is named, and the line to write in its place") {
  auto history = untouched();
  history.sysctl("net.core.somaxconn", {1024});
  history.set(&Snapshot::config,
              HostConfig{.sysctls = {{"/etc/sysctl.d/10-old.conf", 7, "net.core.somaxconn", "512", true},
                                     {"/etc/sysctl.d/90-tune.conf", 3, "net.core.somaxconn", "1024", true}}});
  const auto finding = only_finding("sysctl-somaxconn-low", history.tick().history());
  CHECK(finding.summary ==
        "net.core.somaxconn is 1024 (/etc/sysctl.d/90-tune.conf:3), below the kernel's default of 4096: no "
        "listener gets a longer accept queue, whatever backlog it asks for.");
  REQUIRE(finding.advice.size() == 2);
  CHECK(finding.advice[1].action ==
        "Change line 3 of /etc/sysctl.d/90-tune.conf, which sets it at every boot.");
  CHECK(finding.advice[1].command == "net.core.somaxconn = 4096");
}

TEST_CASE("a package's file is overridden rather than changed") {
  auto history = untouched();
  history.sysctl("net.ipv4.tcp_rmem", {4096, 4096, 9999});
  history.set(&Snapshot::config, HostConfig{.sysctls = {{"/usr/lib/sysctl.d/50-x.conf", 2,
                                                         "net.ipv4.tcp_rmem", "4096  4096\t9999", true}}});
  const auto finding = only_finding("sysctl-tcp-buffers-default-min", history.tick().history());
  REQUIRE(finding.advice.size() == 2);
  CHECK(finding.advice[1].action == "Override /usr/lib/sysctl.d/50-x.conf:2, which sets it at every boot.");
  CHECK(finding.advice[1].command ==
        "echo 'net.ipv4.tcp_rmem = 4096 131072 131072' >> /etc/sysctl.d/zz-tcp.conf");
}

TEST_CASE("what no file sets, or sets otherwise, is to be searched for") {
  auto history = untouched();
  history.sysctl("net.ipv4.tcp_syncookies", {0});
  const auto unset = only_finding("sysctl-syncookies-off", history.tick().history());
  REQUIRE(unset.advice.size() == 2);
  CHECK(unset.advice[1].action == "Find what sets it: no line of sysctl.d and /etc/sysctl.conf does.");
  CHECK(unset.advice[1].command == "grep -rIns net.ipv4.tcp_syncookies /etc /usr/lib/tuned");

  history.set(&Snapshot::config,
              HostConfig{.sysctls = {{"/etc/sysctl.conf", 9, "net.ipv4.tcp_syncookies", "1", true}}});
  const auto changed = only_finding("sysctl-syncookies-off", history.tick().history());
  REQUIRE(changed.advice.size() == 2);
  CHECK(changed.advice[1].action == "Find what changed it: /etc/sysctl.conf:9 asks for 1.");

  const auto unknown =
      only_finding("sysctl-syncookies-off", history.deny(&Snapshot::config).tick().history());
  CHECK(unknown.advice.size() == 1);
}

TEST_CASE(
    "a setting of another namespace is set there and given to the container, whatever the host's files say") {
  HistoryBuilder history;
  history.snapshot().namespaces.push_back({.id = NetnsId(1), .name = "web"});
  history.sysctl("net.ipv4.tcp_abort_on_overflow", {0})
      .set(&Snapshot::config,
           HostConfig{.sysctls = {{"/etc/sysctl.conf", 9, "net.ipv4.tcp_abort_on_overflow", "1", true}}});
  Settings settings{.sysctls = {{"net.ipv4.tcp_abort_on_overflow", {1}, "1"}}};
  history.snapshot().namespaces[1].settings = {std::make_shared<const Settings>(settings), history.now()};
  const auto finding = only_finding("sysctl-abort-on-overflow", history.tick().history());
  CHECK(finding.netns == "web");
  REQUIRE(finding.advice.size() == 2);
  CHECK(finding.advice[0].command == "ip netns exec web sysctl -w net.ipv4.tcp_abort_on_overflow=0");
  CHECK(finding.advice[1].command == "--sysctl net.ipv4.tcp_abort_on_overflow=0");
  CHECK(finding.summary ==
        "net.ipv4.tcp_abort_on_overflow is 1: a short burst that fills an accept queue resets clients that "
        "would have got in a moment later.");
}

TEST_CASE("a comment behind a value in a file is no other value") {
  auto history = untouched();
  history.sysctl("net.core.somaxconn", {128});
  history.set(
      &Snapshot::config,
      HostConfig{.sysctls = {{"/etc/sysctl.d/50-x.conf", 7, "net.core.somaxconn", "128  # was 4096", true}}});
  const auto finding = only_finding("sysctl-somaxconn-low", history.tick().history());
  CHECK_THAT(finding.summary, ContainsSubstring("net.core.somaxconn is 128 (/etc/sysctl.d/50-x.conf:7)"));
}

TEST_CASE("a value that the kernel refuses sets nothing") {
  auto history = untouched();
  history.sysctl("net.core.somaxconn", {128});
  history.set(&Snapshot::config,
              HostConfig{.sysctls = {{"/etc/sysctl.d/50-x.conf", 7, "net.core.somaxconn", "many", true}}});
  const auto finding = only_finding("sysctl-somaxconn-low", history.tick().history());
  REQUIRE(finding.advice.size() == 2);
  CHECK(finding.advice[1].action == "Find what sets it: no line of sysctl.d and /etc/sysctl.conf does.");
}

TEST_CASE("a pattern sets what no line names, and what none takes out of it") {
  SysctlLine pattern{"/etc/sysctl.d/50-x.conf", 2, "net.ipv4.tcp_synco*", "0", std::nullopt};
  SysctlLine exclusion{"/etc/sysctl.d/10-x.conf", 3, "net.ipv4.tcp_syncookies", "", true, true};
  SysctlLine named{"/etc/sysctl.d/10-x.conf", 4, "net.ipv4.tcp_syncookies", "0", true};
  auto history = untouched();
  history.sysctl("net.ipv4.tcp_syncookies", {0});
  const auto finding_with = [&](std::vector<SysctlLine> lines) {
    history.set(&Snapshot::config, HostConfig{.sysctls = std::move(lines)}).tick();
    return only_finding("sysctl-syncookies-off", history.history());
  };
  const auto by_pattern = finding_with({pattern});
  CHECK_THAT(by_pattern.summary, ContainsSubstring("(/etc/sysctl.d/50-x.conf:2)"));
  REQUIRE(by_pattern.advice.size() == 2);
  CHECK(by_pattern.advice[1].command == "echo 'net.ipv4.tcp_syncookies = 1' >> /etc/sysctl.d/zz-tcp.conf");
  CHECK_THAT(finding_with({named, pattern}).summary, ContainsSubstring("(/etc/sysctl.d/10-x.conf:4)"));
  CHECK(finding_with({exclusion, pattern}).summary.find("x.conf") == std::string::npos);
  CHECK(finding_with({named, exclusion}).summary.find("x.conf") == std::string::npos);
  SysctlLine other{"/etc/sysctl.d/50-x.conf", 2, "net.*.tcp_sack", "0", std::nullopt};
  CHECK(finding_with({other}).summary.find("x.conf") == std::string::npos);
}

TEST_CASE("a file that no boot applies sets nothing") {
  auto history = untouched();
  history.sysctl("net.ipv4.tcp_syncookies", {0});
  SysctlLine line{"/etc/sysctl.conf", 9, "net.ipv4.tcp_syncookies", "0", true};
  line.at_boot = false;
  history.set(&Snapshot::config, HostConfig{.sysctls = {line}}).tick();
  const auto finding = only_finding("sysctl-syncookies-off", history.history());
  REQUIRE(finding.advice.size() == 2);
  CHECK(finding.advice[1].action == "Find what sets it: no line of the files that are applied at boot does.");
}

TEST_CASE("reserved ports are taken out of the range before it is called small") {
  auto history = untouched();
  Settings settings = *history.snapshot().namespaces.front().settings.get();
  settings.sysctls.push_back({"net.ipv4.ip_local_reserved_ports", {28000}, "32768-60767"});
  const auto finding =
      only_finding("sysctl-port-range-small", history.set(&NetnsView::settings, settings).tick().history());
  CHECK(finding.severity == Severity::warning);
  CHECK_THAT(finding.summary, ContainsSubstring("one address can have 232 connections"));
  CHECK(finding.advice[0].command == "sysctl -w net.ipv4.ip_local_port_range='10240 65535'");
  CHECK_THAT(finding.advice[1].action, ContainsSubstring("net.ipv4.ip_local_reserved_ports"));
  // It does help against FIN_WAIT2, which ephemeral-ports-exhausted may say at the same time.
  CHECK_THAT(finding.not_helping.front(), ContainsSubstring("tcp_fin_timeout against TIME_WAIT"));
}

TEST_CASE("the widest range is not narrowed because of what is reserved in it") {
  auto history = untouched();
  history.sysctl("net.ipv4.ip_local_port_range", {1024, 65535});
  Settings settings = *history.snapshot().namespaces.front().settings.get();
  settings.sysctls.push_back({"net.ipv4.ip_local_reserved_ports", {64000}, "1024-65000"});
  const auto finding =
      only_finding("sysctl-port-range-small", history.set(&NetnsView::settings, settings).tick().history());
  CHECK_THAT(finding.summary,
             ContainsSubstring("ip_local_port_range is 1024 65535: one address can have 535"));
  REQUIRE(finding.advice.size() == 1);
  CHECK(finding.advice[0].command == "sysctl net.ipv4.ip_local_reserved_ports; ss -Htln");
}
