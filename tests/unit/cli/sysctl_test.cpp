// SPDX-License-Identifier: Apache-2.0
#include "cli/sysctl.h"

#include <algorithm>
#include <sstream>

#include "cli/check.h"
#include "cli/check_text.h"
#include "core/facts/host_config.h"
#include "core/facts/memory_info.h"
#include "core/facts/settings.h"
#include "core/facts/socket_usage.h"
#include "core/sysctls.h"
#include "diagnosis/catalog.h"
#include "exporters/findings_json.h"
#include "tests/catch.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

constexpr TimePoint kNow{std::chrono::hours(1)};

template <class T>
void set(Section<T>& section, T value) {
  section = {std::make_shared<const T>(std::move(value)), kNow};
}

Sysctl sysctl(std::string_view name, std::vector<std::int64_t> values) {
  std::string text;
  for (const auto value : values) text += (text.empty() ? "" : "\t") + std::to_string(value);
  return {find_sysctl(name)->name, std::move(values), std::move(text)};
}

// A host with a few settings, two of them wrong, one that may not be read, and one further namespace.
Report tuned_host() {
  Report report{.at = kNow};
  report.snapshot.namespaces = {{.name = kHostNetns}, {.id = NetnsId(1), .name = "web"}};
  set(report.snapshot.namespaces[0].settings,
      Settings{.sysctls = {sysctl("net.core.somaxconn", {1024}),
                           sysctl("net.ipv4.tcp_syncookies", {1}),
                           sysctl("net.ipv4.tcp_abort_on_overflow", {1}),
                           sysctl("net.ipv4.tcp_migrate_req", {0}),
                           {find_sysctl("net.ipv4.ip_local_reserved_ports")->name, {0}, ""},
                           sysctl("net.ipv4.tcp_mem", {287901, 383868, 575802})},
               .unread = {{find_sysctl("net.ipv4.tcp_fastopen")->name,
                           {Errc::denied, "/proc/sys/net/ipv4/tcp_fastopen: Permission denied"}}}});
  set(report.snapshot.namespaces[1].settings,
      Settings{.sysctls = {sysctl("net.core.somaxconn", {4096}), sysctl("net.ipv4.tcp_syncookies", {1})}});
  set(report.snapshot.config,
      HostConfig{
          .sysctls = {{"/etc/sysctl.d/90-tune.conf", 3, "net.core.somaxconn", "1024", true},
                      {"/etc/sysctl.d/90-tune.conf", 4, "net.ipv4.tcp_abort_on_overflow", "0", true}}});
  set(report.snapshot.memory, MemoryInfo{.total_bytes = 24ULL << 30U});
  set(report.snapshot.namespaces[0].sockets, SocketUsage{.memory_bytes = 0, .page_bytes = 4096});
  return report;
}

Report linted(Report report) {
  lint(report);
  return report;
}

FindingsAnswer answer_for(const Report& report) {
  auto answer = parse_findings(findings_json_text(report));
  REQUIRE(answer);
  return *answer;
}

}  // namespace

TEST_CASE("the table of settings is the one that was looked at") {
  check_committed("tests/unit/cli/sysctl.golden.txt", sysctl_text(linted(tuned_host()), {}));
}

TEST_CASE("the lint of settings reads as the one that was looked at") {
  check_committed("tests/unit/cli/sysctl_lint.golden.txt",
                  to_text(answer_for(linted(tuned_host())), LookedBy::lint, {}));
}

TEST_CASE("a setting that the lint has found fault with is coloured, and so is one that is not known") {
  const auto text = sysctl_text(linted(tuned_host()), {.colour = true});
  CHECK_THAT(text, ContainsSubstring("\x1b[33m1\x1b[0m"));  // tcp_abort_on_overflow
  CHECK_THAT(text, ContainsSubstring("\x1b[33m?\x1b[0m"));
}

TEST_CASE("every line of the table fits, however narrow the terminal") {
  auto report = tuned_host();
  auto settings = *report.snapshot.namespaces[0].settings.get();
  settings.sysctls[4].text = std::string(5000, '8');
  set(report.snapshot.namespaces[0].settings, std::move(settings));
  for (const std::size_t columns : {std::size_t{70}, std::size_t{100}}) {
    std::istringstream lines(sysctl_text(linted(report), {.columns = columns}));
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(columns, line);
      CHECK(columns_of(line) <= columns);
    }
  }
}

TEST_CASE("settings that are not known are not shown, and the lint cannot tell") {
  const auto report = linted(report_of_errors());
  CHECK(sysctl_text(report, {}).empty());
  CHECK(status_of(answer_for(report), {.unknown_from = Severity::warning}) == CheckStatus::cannot_tell);
}

TEST_CASE("the lint judges every rule about settings, and no other") {
  const auto report = linted(tuned_host());
  REQUIRE(report.rules.size() == settings_catalog().size());
  for (const auto& rule : settings_catalog()) {
    CHECK(rule.info.family == "Settings");
    CHECK(find_rule(rule.info.id) != nullptr);
  }
  CHECK(std::ranges::count(rule_catalog(), "Settings", [](const Rule& rule) { return rule.info.family; }) ==
        std::ssize(settings_catalog()));
  CHECK(status_of(answer_for(report), {.unknown_from = Severity::warning}) == CheckStatus::warning);
}

TEST_CASE("the lint of untouched settings finds nothing") {
  auto report = tuned_host();
  set(report.snapshot.namespaces[0].settings,
      Settings{.sysctls = {sysctl("net.core.somaxconn", {4096}), sysctl("net.ipv4.tcp_syncookies", {1}),
                           sysctl("fs.nr_open", {1048576})}});
  set(report.snapshot.config, HostConfig{});
  set(report.snapshot.processes, Processes{});
  lint(report);
  CHECK(status_of(answer_for(report), {.unknown_from = Severity::warning}) == CheckStatus::nothing);
  CHECK(to_text(answer_for(report), LookedBy::lint, {}) ==
        "No findings about the settings of 2 namespaces.\n");
}

TEST_CASE("a hostile value or name of a file does not reach the terminal") {
  auto report = tuned_host();
  set(report.snapshot.config,
      HostConfig{.sysctls = {{"/etc/sysctl.d/\x1b[2J.conf", 3, "net.core.somaxconn", "\x1b]0;x\x07", true}}});
  const auto text = sysctl_text(linted(report), {}) + to_text(answer_for(linted(report)), LookedBy::lint, {});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
}
