// SPDX-License-Identifier: Apache-2.0
#include "core/facts/conntrack.h"

#include <memory>

#include "core/facts/kernel_log.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;

namespace {

constexpr auto kFull = "conntrack-full";
constexpr auto kNear = "conntrack-near";
constexpr auto kElsewhere = "conntrack-full-elsewhere";

Conntrack table(Count entries, Count limit = 1000, Count drops = 0, Count early_drops = 0) {
  return {.entries = entries, .limit = limit, .drops = drops, .early_drops = early_drops};
}

HistoryBuilder history_of(const Conntrack& begin, const Conntrack& end) {
  HistoryBuilder history;
  history.sysctl("net.netfilter.nf_conntrack_buckets", {1000})
      .sysctl("net.netfilter.nf_conntrack_max", {1000})
      .sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", {432000});
  for (int second = 0; second < 10; ++second)
    history.set(&Snapshot::kernel_log, KernelLog{}).set(&NetnsView::conntrack, begin).tick();
  for (int second = 0; second < 5; ++second)
    history.set(&Snapshot::kernel_log, KernelLog{}).set(&NetnsView::conntrack, end).tick();
  return history;
}

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

bool known(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).known();
}

KernelLog full_lines(std::uint64_t count, const std::string& text) {
  KernelLog log;
  log.counts.at(static_cast<std::size_t>(KernelEventKind::conntrack_full)) = count;
  log.recent.push_back({.kind = KernelEventKind::conntrack_full, .text = text});
  return log;
}

constexpr auto kLine = "nf_conntrack: table full, dropping packet";
constexpr auto kLineOfNetns = "nf_conntrack: nf_conntrack: table full in netns 4026532177, dropping packet";

// The log says so one second before every table was read again.
HistoryBuilder logged(const Conntrack& begin, const Conntrack& end, const std::string& line) {
  auto history = history_of(begin, begin);
  history.set(&Snapshot::kernel_log, full_lines(3, line)).tick();
  history.set(&Snapshot::kernel_log, full_lines(3, line)).set(&NetnsView::conntrack, end).tick();
  return history;
}

}  // namespace

TEST_CASE(
    "a table that is full is critical, with what was dropped for it and how much memory more would take") {
  const auto finding = only_finding(kFull, history_of(table(900), table(1000, 1000, 37)).history());
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.netns == "host");
  CHECK(finding.summary == "Connection tracking is full: 1000 entries of 1000; 37 packets dropped in 14 s.");
  REQUIRE(finding.bites);
  CHECK(finding.bites->limit == "net.netfilter.nf_conntrack_max");
  CHECK(finding.advice[0].command == "sysctl -w net.netfilter.nf_conntrack_max=2000");
  CHECK_THAT(finding.advice[0].risk, ContainsSubstring("781 KiB when all 2000"));
  CHECK(finding.advice[1].command == "sysctl -w net.netfilter.nf_conntrack_buckets=2000");
  CHECK(clear(kNear, history_of(table(900), table(1000, 1000, 37))));
}

TEST_CASE("a table that was full between two readings is known by what was thrown out or dropped") {
  CHECK_THAT(only_finding(kFull, history_of(table(700), table(700, 1000, 0, 12)).history()).summary,
             ContainsSubstring("12 connections thrown out to make room."));
  CHECK_FALSE(clear(kFull, history_of(table(950), table(950, 1000, 3))));
}

TEST_CASE("once the limit was raised, what was full and dropped under the old one is the past") {
  CHECK(clear(kFull, history_of(table(1000, 1000, 0, 40), table(1000, 2000, 37, 60))));
  CHECK(clear(kNear, history_of(table(1000, 1000), table(1000, 2000))));
}

TEST_CASE("packets dropped far below the limit were dropped for another reason") {
  CHECK(clear(kFull, history_of(table(100), table(100, 1000, 50))));
}

TEST_CASE("a table that is nearly full is a warning, from 95 % on critical, with when it will be full") {
  const auto warning = only_finding(kNear, history_of(table(905), table(910)).history());
  CHECK(warning.severity == Severity::warning);
  CHECK(warning.summary ==
        "Connection tracking is nearly full: 910 entries of 1000, 91 %; at this rate it will be full in 4 "
        "min.");
  CHECK(only_finding(kNear, history_of(table(960), table(960)).history()).severity == Severity::critical);
  CHECK(only_finding(kNear, history_of(table(960), table(960)).history()).summary ==
        "Connection tracking is nearly full: 960 entries of 1000, 96 %.");
  CHECK(clear(kFull, history_of(table(960), table(960))));
}

TEST_CASE("connection tracking stays clear below nine tenths, without a limit, and where it is not loaded") {
  for (const auto* id : {kFull, kNear}) {
    INFO(id);
    CHECK(clear(id, history_of(table(0), table(890))));
    CHECK(clear(id, history_of(table(5000, 0), table(5000, 0))));
    CHECK(clear(id, history_of({}, {})));
    CHECK(clear(id, history_of(table(10, 1000, 900, 900), table(10, 1000, 900, 900))));
  }
}

TEST_CASE("without the kernel's statistics of connection tracking its entries still tell") {
  const auto finding =
      only_finding(kFull, history_of(table(10, 1000, {}, {}), table(1000, 1000, {}, {})).history());
  CHECK(finding.summary == "Connection tracking is full: 1000 entries of 1000.");
  CHECK(clear(kFull, history_of(table(10, 1000, {}, {}), table(20, 1000, {}, {}))));
}

TEST_CASE("connection tracking cannot be told when it cannot be read, or half of it is missing") {
  for (const auto* id : {kFull, kNear}) {
    INFO(id);
    auto denied = history_of(table(900), table(1000));
    CHECK_FALSE(known(id, denied.deny(&NetnsView::conntrack).tick()));
    CHECK_FALSE(known(id, history_of(table(900), table({}))));
    CHECK_FALSE(known(id, history_of(table(900), table(900, {}))));
    CHECK_FALSE(known(id, HistoryBuilder().tick()));
  }
}

TEST_CASE("counters of connection tracking that begin anew are no drops") {
  CHECK(clear(kFull, history_of(table(10, 1000, 900, 900), table(10, 1000, 5, 5))));
}

TEST_CASE("the limit is the machine's: in another namespace the advice is to set it on the host") {
  HistoryBuilder history;
  history.snapshot().namespaces.push_back({.id = NetnsId(1), .name = "web"});
  history.sysctl("net.netfilter.nf_conntrack_buckets", {1000}).set(&NetnsView::conntrack, table(5));
  history.snapshot().namespaces[1].conntrack = {std::make_shared<const Conntrack>(table(1000)),
                                                history.now()};
  history.ticks(3);
  const auto finding = only_finding(kFull, history.history());
  CHECK(finding.netns == "web");
  CHECK(finding.advice[0].command == "sysctl -w net.netfilter.nf_conntrack_max=2000");
  CHECK_THAT(finding.advice[3].command, ContainsSubstring("ip netns exec web conntrack -L"));
}

TEST_CASE("a log line about a full table that is none of ours is another namespace's") {
  const auto finding = only_finding(kElsewhere, logged(table(10), table(12), kLineOfNetns).history());
  CHECK(finding.netns.empty());
  CHECK(finding.subject.kind == SubjectKind::host);
  CHECK(finding.summary ==
        "The kernel logged 3 times in 16 s that a connection tracking table is full, and it is not in a "
        "watched namespace: it is in the one with inode 4026532177; the limit of each is 1000.");
  CHECK(finding.advice[0].command == "lsns -t net 4026532177");
  CHECK(finding.advice.back().command == "sysctl -w net.netfilter.nf_conntrack_max=2000");

  const auto older_kernel = only_finding(kElsewhere, logged(table(10), table(12), kLine).history());
  CHECK_THAT(older_kernel.advice[0].command,
             ContainsSubstring("for n in $(lsns -rnt net -o PID); do nsenter"));
  CHECK_FALSE(clear(kElsewhere, logged({}, {}, kLine)));  // none of ours has connection tracking
}

TEST_CASE("a log line about a full table says nothing new when a namespace that is watched dropped packets") {
  CHECK(clear(kElsewhere, logged(table(1000), table(1000, 1000, 3), kLine)));
}

TEST_CASE("a container that dropped packets and is gone explains the line, a new one does not hide it") {
  const auto with_container = [](Count drops, bool goes) {
    auto history = history_of(table(10), table(10));
    history.snapshot().namespaces.push_back({.id = NetnsId{1}, .name = "shop"});
    history.snapshot().namespaces[1].conntrack = {std::make_shared<const Conntrack>(table(1000, 1000, drops)),
                                                  history.now()};
    history.tick();
    if (goes) history.snapshot().namespaces.pop_back();
    history.set(&Snapshot::kernel_log, full_lines(3, kLine)).tick();
    history.set(&Snapshot::kernel_log, full_lines(3, kLine)).set(&NetnsView::conntrack, table(10)).tick();
    return history;
  };
  CHECK(clear(kElsewhere, with_container(3, true)));
  CHECK(clear(kElsewhere, with_container(3, false)));
  CHECK_FALSE(clear(kElsewhere, with_container(0, true)));
  CHECK(known(kElsewhere, with_container(0, false)));
}

TEST_CASE("a log line that is newer than the latest look at the tables is not judged yet") {
  auto history = history_of(table(10), table(10));
  history.set(&Snapshot::kernel_log, full_lines(3, kLine)).tick();
  CHECK(clear(kElsewhere, history));
}

TEST_CASE("conntrack-full-elsewhere stays clear without a new line") {
  CHECK(clear(kElsewhere, history_of(table(10), table(10))));
  auto old = history_of(table(10), table(10));
  old.set(&Snapshot::kernel_log, full_lines(0, kLine)).set(&NetnsView::conntrack, table(10)).tick();
  CHECK(clear(kElsewhere, old));
}

TEST_CASE(
    "conntrack-full-elsewhere cannot tell without the log, or without the tables when there is a line") {
  auto denied_log = logged(table(10), table(10), kLine);
  CHECK_FALSE(known(kElsewhere, denied_log.deny(&Snapshot::kernel_log).tick()));
  auto denied_table = logged(table(10), table(10), kLine);
  CHECK_FALSE(known(kElsewhere, denied_table.deny(&NetnsView::conntrack).tick()));
  CHECK_FALSE(known(kElsewhere, logged(table(10, 1000, {}), table(10, 1000, {}), kLine)));
  CHECK_FALSE(known(kElsewhere, logged(table(10, 1000, 9), table(10, 1000, 1), kLine)));
}
