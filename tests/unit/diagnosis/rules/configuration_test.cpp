// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "core/facts/host_config.h"
#include "core/facts/netns_list.h"
#include "core/sysctls.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;

namespace {

constexpr auto kUnknownKey = "sysctl-unknown-key";
constexpr auto kNrOpen = "sysctl-nr-open-below-unit";
constexpr auto kLogin = "sysctl-nr-open-below-login";
constexpr auto kMismatch = "netns-sysctl-mismatch";

SysctlLine line(const std::string& name, std::optional<bool> exists,
                const std::string& file = "/etc/sysctl.conf", const std::string& value = "1") {
  return {.file = file, .line = 4, .name = name, .value = value, .exists = exists};
}

// The first network namespace of a machine whose files have these lines.
HistoryBuilder with_lines(std::vector<SysctlLine> lines) {
  HistoryBuilder history;
  history.sysctl("net.core.somaxconn", {4096})
      .sysctl("net.ipv4.tcp_abort_on_overflow", {0})
      .sysctl("net.ipv4.tcp_max_orphans", {131072})
      .sysctl("fs.file-max", {2466186})
      .set(&Snapshot::config, HostConfig{.sysctls = std::move(lines)})
      .tick();
  return history;
}

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

std::string why_unknown(std::string_view id, const HistoryBuilder& history) {
  const auto verdict = verdict_of(id, history.history());
  REQUIRE_FALSE(verdict.known());
  return verdict.why().detail;
}

HistoryBuilder with_limit(const std::string& value) {
  HistoryBuilder history;
  history.sysctl("fs.nr_open", {1048576})
      .set(&Snapshot::processes, Processes{})
      .set(&Snapshot::config,
           HostConfig{.file_limits = {{"nginx.service", "/etc/systemd/system/nginx.service", 12, value},
                                      {"cron.service", "/lib/systemd/system/cron.service", 8, "1024"}}})
      .tick();
  return history;
}

Settings settings_of(std::vector<std::pair<std::string_view, std::int64_t>> numbers) {
  Settings settings;
  for (const auto& [name, number] : numbers)
    settings.sysctls.push_back({name, {number}, std::to_string(number)});
  return settings;
}

HistoryBuilder two_namespaces(const Settings& host, const Settings& other) {
  HistoryBuilder history;
  history.snapshot().namespaces.push_back({.id = NetnsId(1), .name = "web"});
  history.set(&NetnsView::settings, host);
  history.snapshot().namespaces[1].settings = {std::make_shared<const Settings>(other), history.now()};
  history.tick();
  return history;
}

Verdict verdict_in_web(const HistoryBuilder& history) {
  const auto& rule = rule_of(kMismatch);
  return rule.evaluate(Window(history.history(), NetnsId(1), rule.lookback), Thresholds{});
}

}  // namespace

TEST_CASE("a key that the kernel had once is named with what became of it") {
  const auto finding =
      only_finding(kUnknownKey, with_lines({line("net.ipv4.tcp_tw_recycle", false)}).history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.subject.name == "net.ipv4.tcp_tw_recycle");
  CHECK(finding.summary ==
        "/etc/sysctl.conf:4 sets net.ipv4.tcp_tw_recycle, which this kernel does not have: the line does "
        "nothing; Linux 4.12 removed it because it broke clients behind NAT; nothing replaces it.");
  REQUIRE(finding.advice.size() == 1);
  CHECK(finding.advice[0].command == "sed -i '4s/^/# /' /etc/sysctl.conf");
  CHECK(finding.not_helping.size() == 1);
}

TEST_CASE("a misspelt key is named with the one that is probably meant") {
  for (const auto& [wrong, right] :
       {std::pair("net.ipv4.tcp_abort_on_flow", "net.ipv4.tcp_abort_on_overflow"),
        std::pair("net.ipv4.somaxconn", "net.core.somaxconn"),
        std::pair("net.core.somaxcon", "net.core.somaxconn"), std::pair("fs.file_max", "fs.file-max"),
        std::pair("net.core/somaxconn", "net.core.somaxconn"),
        std::pair("core.somaxconn", "net.core.somaxconn"),
        std::pair("NET.CORE.SOMAXCONN", "net.core.somaxconn"),
        std::pair("proc.sys.net.core.somaxconn", "net.core.somaxconn"),
        std::pair("proc.sys.net.ipv4.tcp_ecn", "net.ipv4.tcp_ecn"),
        std::pair("tcp_abort_on_overflow", "net.ipv4.tcp_abort_on_overflow")}) {
    INFO(wrong);
    const auto finding = only_finding(kUnknownKey, with_lines({line(wrong, false)}).history());
    CHECK(finding.severity == Severity::warning);
    CHECK_THAT(finding.summary, ContainsSubstring(std::string("; ") + right + " is probably meant."));
    REQUIRE(finding.advice.size() == 2);
    CHECK(finding.advice[0].command == std::string(right) + " = 1");
    CHECK(finding.not_helping.empty());
  }
}

TEST_CASE("a key that resembles none is said to do nothing, without a guess") {
  const auto finding =
      only_finding(kUnknownKey, with_lines({line("net.ipv4.no_such_thing", false)}).history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.summary ==
        "/etc/sysctl.conf:4 sets net.ipv4.no_such_thing, which this kernel does not have: the line does "
        "nothing.");
}

TEST_CASE("keys that exist, may exist, or come with a package, a module or IPv6 are no mistakes") {
  CHECK(clear(kUnknownKey, with_lines({})));
  CHECK(clear(kUnknownKey,
              with_lines({line("net.core.somaxconn", true), line("net.ipv4.conf.*.rp_filter", {})})));
  for (const auto* name : {"net.netfilter.nf_conntrack_max", "net.bridge.bridge-nf-call-iptables",
                           "net.ipv6.conf.all.forwarding", "net.ipv4.vs.conntrack", "fs.nfs.nlm_tcpport",
                           "kernel.yama.ptrace_scope", "vm.swapiness"}) {
    INFO(name);
    CHECK(clear(kUnknownKey, with_lines({line(name, false)})));
  }
  CHECK(clear(kUnknownKey,
              with_lines({line("net.core.somaxcon", false, "/usr/lib/sysctl.d/50-default.conf")})));
}

TEST_CASE("with IPv6 in the kernel its keys are judged as well") {
  auto history = with_lines({line("net.ipv6.conf.all.forwardng", false)});
  history.sysctl("net.ipv6.neigh.default.gc_thresh3", {1024}).tick();
  CHECK_FALSE(clear(kUnknownKey, history));
}

TEST_CASE("a key that is only taken out of patterns sets nothing, whether it exists or not") {
  auto exclusion = line("net.core.somaxcon", false);
  exclusion.excludes = true;
  CHECK(clear(kUnknownKey, with_lines({exclusion})));
}

TEST_CASE("outside of the first network namespace the absence of a key says nothing") {
  auto history = with_lines({line("net.core.somaxcon", false)});
  history.set(&NetnsView::settings, settings_of({{"net.core.somaxconn", 4096}})).tick();
  CHECK(clear(kUnknownKey, history));
}

TEST_CASE("each key is told of once, and many are cut") {
  std::vector<SysctlLine> lines = {line("net.ipv4.twice_wrong_key", false),
                                   line("net.ipv4.twice_wrong_key", false)};
  CHECK(verdict_of(kUnknownKey, with_lines(lines).history()).facts().size() == 1);
  for (int i = 0; i < 200; ++i) lines.push_back(line("net.ipv4.xyzzy" + std::to_string(i), false));
  CHECK(verdict_of(kUnknownKey, with_lines(lines).history()).facts().size() == Thresholds{}.unknown_keys_max);
  CHECK(clear(kUnknownKey, with_lines({line("net.ipv4." + std::string(500, 'x'), false)})));
}

TEST_CASE("sysctl-unknown-key cannot tell without the files or the settings") {
  auto no_files = with_lines({});
  CHECK(why_unknown(kUnknownKey, no_files.deny(&Snapshot::config).tick()) == "test: Permission denied");
  auto no_settings = with_lines({line("net.core.somaxcon", false)});
  CHECK_FALSE(verdict_of(kUnknownKey, no_settings.deny(&NetnsView::settings).tick().history()).known());
  auto partly = with_lines({});
  partly.set(&Snapshot::config,
             HostConfig{.unread_sysctls = {{Errc::denied, "/etc/sysctl.d/99-x.conf: Permission denied"}}});
  CHECK(why_unknown(kUnknownKey, partly.tick()) == "/etc/sysctl.d/99-x.conf: Permission denied");
  partly.set(&Snapshot::config,
             HostConfig{.unread = {{Errc::denied, "/etc/systemd/system/x.service: denied"}}});
  CHECK(clear(kUnknownKey, partly.tick()));
}

TEST_CASE("a unit that asks for more files than nr_open allows is named with its line") {
  const auto finding = only_finding(kNrOpen, with_limit("2000000").history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.subject.name == "fs.nr_open");
  CHECK(finding.summary ==
        "nginx.service asks for 2000000 open files (/etc/systemd/system/nginx.service:12), but fs.nr_open "
        "allows 1048576: it gets fewer than it asks for.");
  REQUIRE(finding.advice.size() == 3);
  CHECK(finding.advice[0].command == "sysctl -w fs.nr_open=2000000");
  CHECK(finding.advice[2].command == "LimitNOFILE=1048576");
}

TEST_CASE("the largest of several units is named, and how many more there are") {
  auto history = with_limit("1024:2000000");
  auto config = *history.snapshot().config.get();
  config.file_limits.push_back({"big.service", "/run/systemd/system/big.service", 1, "3000000"});
  const auto finding = only_finding(kNrOpen, history.set(&Snapshot::config, config).tick().history());
  CHECK_THAT(finding.summary, ContainsSubstring("big.service asks for 3000000"));
  CHECK_THAT(finding.summary, ContainsSubstring("; so does 1 more unit."));
}

TEST_CASE("a limit above nr_open is seen in every notation that systemd takes") {
  for (const auto* value : {"0x200000", "010000000", "1024: 2097152", "2097152:infinity", "+2097152"}) {
    INFO(value);
    CHECK_THAT(only_finding(kNrOpen, with_limit(value).history()).summary,
               ContainsSubstring("nginx.service asks for 2097152 open files"));
  }
}

TEST_CASE("the limit for units that have none is judged like theirs") {
  auto history = with_limit("1024");
  auto config = *history.snapshot().config.get();
  config.default_file_limit = UnitFileLimit{{}, "/etc/systemd/system.conf", 9, "2000000"};
  const auto finding = only_finding(kNrOpen, history.set(&Snapshot::config, config).tick().history());
  CHECK_THAT(
      finding.summary,
      ContainsSubstring("DefaultLimitNOFILE asks for 2000000 open files (/etc/systemd/system.conf:9)"));
  REQUIRE(finding.advice.size() == 3);
  CHECK(finding.advice[2].command == "DefaultLimitNOFILE=1048576");
}

TEST_CASE("a limit for logins above nr_open is named with its line") {
  auto history = with_limit("1024");
  HostConfig config{.login_limits = {{"*", "soft", "/etc/security/limits.conf", 3, "1024"},
                                     {"*", "hard", "/etc/security/limits.conf", 4, "2000000"},
                                     {"@web", "-", "/etc/security/limits.d/x.conf", 1, "unlimited"}}};
  const auto finding = only_finding(kLogin, history.set(&Snapshot::config, config).tick().history());
  CHECK(finding.severity == Severity::warning);
  CHECK_THAT(finding.summary,
             ContainsSubstring(
                 "/etc/security/limits.conf:4 gives * 2000000 open files, but fs.nr_open allows 1048576"));
  REQUIRE(finding.advice.size() == 3);
  CHECK(finding.advice[0].command == "sysctl -w fs.nr_open=2000000");
  CHECK(finding.advice[2].command == "hard nofile 1048576");
}

TEST_CASE("limits for logins within nr_open, or as much as there is, are no mistakes") {
  auto history = with_limit("1024");
  HostConfig config{.login_limits = {{"*", "hard", "/etc/security/limits.conf", 4, "1048576"},
                                     {"*", "hard", "/etc/security/limits.conf", 5, "unlimited"}}};
  CHECK(clear(kLogin, history.set(&Snapshot::config, config).tick()));
}

TEST_CASE("sysctl-nr-open-below-login cannot tell without the limit or the files") {
  auto no_limit = with_limit("1");
  CHECK_FALSE(verdict_of(kLogin, no_limit.deny(&NetnsView::settings).tick().history()).known());
  auto no_files = with_limit("1");
  CHECK_FALSE(verdict_of(kLogin, no_files.deny(&Snapshot::config).tick().history()).known());
}

TEST_CASE("limits within nr_open, without a number, or as much as there is are no mistakes") {
  for (const auto* value : {"1048576", "65536", "1024:524288", "infinity", "infinity:infinity", "", ":",
                            "many", "99999999999999999999", "0x100000", "0200000", "2000000:1024", "12G"}) {
    INFO(value);
    CHECK(clear(kNrOpen, with_limit(value)));
  }
}

TEST_CASE("sysctl-nr-open-below-unit cannot tell without the limit, the units or their files") {
  auto no_limit = with_limit("2000000");
  CHECK_FALSE(verdict_of(kNrOpen, no_limit.deny(&NetnsView::settings).tick().history()).known());
  auto no_processes = with_limit("2000000");
  CHECK_FALSE(verdict_of(kNrOpen, no_processes.deny(&Snapshot::processes).tick().history()).known());
  auto no_files = with_limit("2000000");
  CHECK_FALSE(verdict_of(kNrOpen, no_files.deny(&Snapshot::config).tick().history()).known());
  auto unread = with_limit("1024");
  unread.set(&Snapshot::config,
             HostConfig{.unread = {{Errc::denied, "/etc/systemd/system/x.service: denied"}}});
  CHECK(why_unknown(kNrOpen, unread.tick()) == "/etc/systemd/system/x.service: denied");
}

TEST_CASE("sysctl-nr-open-below-unit cannot tell about units whose processes may not be looked at") {
  for (const auto* asked : {"2000000", "1024"}) {
    auto some = with_limit(asked);
    some.set(&Snapshot::processes, Processes{.total = 4, .some_hidden = true}).tick();
    const auto verdict = verdict_of(kNrOpen, some.history());
    INFO(asked);
    REQUIRE(verdict.known());
    CHECK(verdict.facts().empty() == (asked == std::string_view("1024")));
    CHECK(verdict.unseen());
  }
}

TEST_CASE(
    "settings of a namespace that are not the host's are listed, with what gives a container the host's") {
  const auto history = two_namespaces(
      settings_of(
          {{"net.core.somaxconn", 65535}, {"net.ipv4.tcp_syncookies", 1}, {"net.ipv4.tcp_fin_timeout", 30}}),
      settings_of(
          {{"net.core.somaxconn", 4096}, {"net.ipv4.tcp_syncookies", 1}, {"net.ipv4.tcp_fin_timeout", 60}}));
  const auto finding = only_finding(kMismatch, history.history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.netns == "web");
  CHECK(finding.summary ==
        "The settings of web differ from the host's: net.core.somaxconn 4096 (host 65535), "
        "net.ipv4.tcp_fin_timeout 60 (host 30).");
  REQUIRE(finding.advice.size() == 2);
  CHECK(finding.advice[0].command ==
        "ip netns exec web sysctl -w net.core.somaxconn=65535 net.ipv4.tcp_fin_timeout=30");
  CHECK(finding.advice[1].command ==
        "--sysctl net.core.somaxconn=65535 --sysctl net.ipv4.tcp_fin_timeout=30");
  CHECK(finding.evidence.size() == 2);
}

namespace {

// What is said of a namespace that was found so, and of that many more like it.
Diagnosis said_of(FoundNetns found, int more = 0) {
  auto history =
      two_namespaces(settings_of({{"net.core.somaxconn", 65535}, {"net.ipv4.tcp_fin_timeout", 30}}),
                     settings_of({{"net.core.somaxconn", 4096}, {"net.ipv4.tcp_fin_timeout", 60}}));
  auto web = history.history().snapshots().back().namespaces[1];
  web.generation = found.generation = 1;
  web.name = found.name = "shop";
  found.anchor_pid = 812;
  NetnsList list{.namespaces = {found}};
  auto& namespaces = history.snapshot().namespaces;
  namespaces.resize(1);
  namespaces.push_back(web);
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(more); ++i) {
    web.id = NetnsId(2 + i);
    web.generation = found.generation = 2 + i;
    web.name = found.name = "more" + std::to_string(i);
    namespaces.push_back(web);
    list.namespaces.push_back(found);
  }
  history.snapshot().netns_list = {std::make_shared<const NetnsList>(list), history.now()};
  history.tick();
  return diagnose(history.history(), {&rule_of(kMismatch), 1}, {});
}

bool says(const Finding& finding, std::string_view text) {
  return std::ranges::any_of(finding.advice, [&](const Advice& advice) {
    return (advice.action + "\n" + advice.command + "\n" + advice.risk).find(text) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("the host's settings are given to a container in its own words") {
  const auto run = said_of({.kind = NetnsKind::docker, .runtime = "docker"}).findings.at(0);
  CHECK(run.advice.at(0).command ==
        "nsenter -t 812 -n sysctl -w net.core.somaxconn=65535 net.ipv4.tcp_fin_timeout=30");
  CHECK(says(run, "make container shop again with these options of docker run"));
  CHECK(says(run, "--sysctl net.core.somaxconn=65535 --sysctl net.ipv4.tcp_fin_timeout=30"));
  CHECK(run.advice.size() == 2);
  const auto composed =
      said_of({.kind = NetnsKind::docker, .runtime = "docker", .compose_service = "api"}).findings.at(0);
  CHECK(says(composed, "add them to service api in the compose file"));
  CHECK(says(composed, "\nsysctls: [net.core.somaxconn=65535, net.ipv4.tcp_fin_timeout=30]\n"));
  CHECK(composed.advice.size() == 2);
  const auto pod = said_of({.kind = NetnsKind::kubernetes, .runtime = "containerd"}).findings.at(0);
  CHECK(says(pod, "securityContext: sysctls:"));
  CHECK(says(pod, "--allowed-unsafe-sysctls"));
  CHECK(pod.advice.size() == 2);
  const auto boots = said_of({.kind = NetnsKind::lxc, .runtime = "lxc"}).findings.at(0);
  CHECK(says(boots, "a file in /etc/sysctl.d inside of shop"));
  CHECK(boots.advice.size() == 2);
}

TEST_CASE("very many containers with the same settings are one finding") {
  const auto findings = said_of({.kind = NetnsKind::docker}, 200).findings;
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].netns == "shop");
  CHECK(findings[0].alike == 200);
  CHECK(findings[0].summary.ends_with("The same is true of 200 more namespaces, more0, more1 among them."));
  CHECK(
      said_of({.kind = NetnsKind::docker}, 1).findings.at(0).summary.ends_with("The same is true of more0."));
}

TEST_CASE(
    "settings that are the machine's, missing on one side or made from the table's size are not compared") {
  CHECK(verdict_in_web(two_namespaces(settings_of({{"net.core.rmem_max", 4194304},
                                                   {"net.ipv4.tcp_mem", 5},
                                                   {"net.core.optmem_max", 5}}),
                                      settings_of({{"net.core.rmem_max", 212992}})))
            .is_clear());
  CHECK(verdict_in_web(two_namespaces(settings_of({{"net.ipv4.tcp_ehash_entries", 262144}}),
                                      settings_of({{"net.ipv4.tcp_ehash_entries", -262144}})))
            .is_clear());
  CHECK(
      verdict_in_web(
          two_namespaces(
              settings_of({{"net.ipv4.tcp_max_tw_buckets", 131072}, {"net.ipv4.tcp_ehash_entries", 262144}}),
              settings_of({{"net.ipv4.tcp_max_tw_buckets", 2048}, {"net.ipv4.tcp_ehash_entries", 4096}})))
          .is_clear());
}

TEST_CASE("many differences are named in part, and long values cut") {
  Settings host, web;
  for (const auto& spec : sysctl_table()) {
    host.sysctls.push_back({spec.name, {}, "1"});
    web.sysctls.push_back({spec.name, {}, std::string(4096, '2')});
  }
  const auto finding = only_finding(kMismatch, two_namespaces(host, web).history());
  CHECK(finding.summary.size() < 1200);
  CHECK_THAT(finding.summary, ContainsSubstring(" more."));
}

TEST_CASE("the host's own settings and equal ones are no mismatch") {
  const auto same = settings_of({{"net.core.somaxconn", 4096}});
  CHECK(verdict_in_web(two_namespaces(same, same)).is_clear());
  CHECK(clear(kMismatch, two_namespaces(same, settings_of({{"net.core.somaxconn", 128}}))));
}

TEST_CASE("netns-sysctl-mismatch cannot tell without the settings of both namespaces") {
  const auto same = settings_of({{"net.core.somaxconn", 4096}});
  auto no_host = two_namespaces(same, same);
  CHECK_FALSE(verdict_in_web(no_host.deny(&NetnsView::settings).tick()).known());
  auto no_web = two_namespaces(same, same);
  no_web.snapshot().namespaces[1].settings = {};
  CHECK_FALSE(verdict_in_web(no_web.tick()).known());
}
