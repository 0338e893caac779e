// SPDX-License-Identifier: Apache-2.0
#include "core/facts/kernel_log.h"
#include "core/facts/memory_info.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;

namespace {

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

std::string why_unknown(std::string_view id, const HistoryBuilder& history) {
  const auto verdict = verdict_of(id, history.history());
  REQUIRE_FALSE(verdict.known());
  return verdict.why().detail;
}

Softnet softnet(std::uint64_t dropped0, std::uint64_t dropped1, std::uint64_t squeezed = 0) {
  return {.cpus = {{.cpu = 0, .processed = 1000, .dropped = dropped0, .time_squeezed = squeezed},
                   {.cpu = 1, .processed = 1000, .dropped = dropped1, .time_squeezed = 0}}};
}

HistoryBuilder softnet_history(const Softnet& begin, const Softnet& end) {
  HistoryBuilder history;
  history.sysctl("net.core.netdev_max_backlog", {1000}).sysctl("net.core.netdev_budget", {300});
  for (int second = 0; second < 20; ++second) history.set(&Snapshot::softnet, begin).tick();
  for (int second = 0; second < 5; ++second) history.set(&Snapshot::softnet, end).tick();
  return history;
}

KernelLog log_of(KernelEventKind kind, std::uint64_t count, const std::string& text, TimePoint at = {}) {
  KernelLog log;
  log.counts.at(static_cast<std::size_t>(kind)) = count;
  log.recent.push_back({.kind = kind, .at = at, .text = text});
  return log;
}

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kGigabyte = 1U << 30U;

SocketUsage memory_of(std::uint64_t pages) { return {.memory_bytes = pages * kPage, .page_bytes = kPage}; }

TcpCounters memory_counters(Count pressures, Count aborted = 0) {
  TcpCounters tcp;
  tcp.memory_pressures = pressures;
  tcp.abort_on_memory = aborted;
  return tcp;
}

// A machine of 24 GiB with the kernel's own tcp_mem, calm for ten seconds.
HistoryBuilder calm() {
  HistoryBuilder history;
  history.sysctl("net.ipv4.tcp_mem", {287901, 383868, 575802})
      .set(&Snapshot::memory, MemoryInfo{.total_bytes = 24 * kGigabyte})
      .set(&Snapshot::kernel_log, KernelLog{});
  for (int second = 0; second < 10; ++second) {
    history.set(&NetnsView::tcp, memory_counters(3)).set(&NetnsView::sockets, memory_of(1000));
    history.tick();
  }
  return history;
}

constexpr auto kOverflowLine = "neighbour: arp_cache: neighbor table overflow!";

HistoryBuilder neighbour_history(const KernelLog& begin, const KernelLog& end) {
  HistoryBuilder history;
  history.sysctl("net.ipv4.neigh.default.gc_thresh3", {1024});
  history.sysctl("net.ipv6.neigh.default.gc_thresh3", {2048});
  for (int second = 0; second < 10; ++second) history.set(&Snapshot::kernel_log, begin).tick();
  for (int second = 0; second < 3; ++second) history.set(&Snapshot::kernel_log, end).tick();
  return history;
}

}  // namespace

TEST_CASE("packets that a CPU drops are counted, with the CPU and the limit") {
  const auto finding =
      only_finding("softnet-drops", softnet_history(softnet(5, 7), softnet(5, 407, 0)).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.netns.empty());
  CHECK(finding.subject.kind == SubjectKind::host);
  CHECK(finding.summary ==
        "400 received packets were dropped in 24 s, 100 % of them on CPU 1: its input queue was full "
        "(net.core.netdev_max_backlog is 1000).");
  REQUIRE(finding.bites);
  CHECK(finding.bites->value == 1000);
  REQUIRE(finding.advice.size() == 3);
  CHECK_THAT(finding.advice[0].action, ContainsSubstring("nearly all drops are on CPU 1"));
  CHECK(finding.advice[1].command == "sysctl -w net.core.netdev_max_backlog=5000");
}

TEST_CASE("drops on several CPUs need no spreading, and rounds that ran out of budget are said") {
  const auto finding =
      only_finding("softnet-drops", softnet_history(softnet(0, 0), softnet(30, 20, 9)).history());
  REQUIRE(finding.advice.size() == 3);
  CHECK(finding.advice[0].command == "sysctl -w net.core.netdev_max_backlog=5000");
  CHECK(finding.advice[1].command == "sysctl -w net.core.netdev_budget=600");
  CHECK(finding.severity == Severity::info);  // a few
}

TEST_CASE("softnet-drops stays clear when nothing or hardly anything is dropped within the window") {
  CHECK(clear("softnet-drops", softnet_history(softnet(70000, 7), softnet(70000, 7))));
  CHECK(clear("softnet-drops", softnet_history(softnet(0, 0), softnet(4, 5))));
  CHECK(clear("softnet-drops", softnet_history(softnet(0, 0), softnet(0, 0, 900))));
}

TEST_CASE("a CPU that comes on with an old count has dropped nothing now") {
  const Softnet one_cpu{.cpus = {{.cpu = 0}}};
  CHECK(clear("softnet-drops", softnet_history(one_cpu, softnet(0, 5000))));
}

TEST_CASE("softnet-drops cannot tell without the file, from one reading, or when it is counted anew") {
  auto denied = softnet_history(softnet(0, 0), softnet(0, 900));
  CHECK(why_unknown("softnet-drops", denied.deny(&Snapshot::softnet).tick()) == "test: Permission denied");
  HistoryBuilder one;
  one.set(&Snapshot::softnet, softnet(0, 900)).ticks(3);
  CHECK_THAT(why_unknown("softnet-drops", one), ContainsSubstring("only one reading"));
  CHECK_THAT(why_unknown("softnet-drops", softnet_history(softnet(0, 900), softnet(0, 10))),
             ContainsSubstring("CPU 1 restarted its counters"));
  CHECK_FALSE(verdict_of("softnet-drops", HistoryBuilder().tick().history()).known());
}

TEST_CASE("drops are told without the settings, which only the advice needs") {
  HistoryBuilder history;
  history.set(&Snapshot::softnet, softnet(0, 0)).tick().set(&Snapshot::softnet, softnet(0, 500)).tick();
  const auto finding = only_finding("softnet-drops", history.history());
  CHECK(finding.summary ==
        "500 received packets were dropped in 1 s, 100 % of them on CPU 1: its input queue was full.");
  CHECK_FALSE(finding.bites);
  for (const auto& advice : finding.advice) CHECK(advice.command.find('?') == std::string::npos);
}

TEST_CASE("memory beyond the pressure mark is a warning, near the limit it is critical") {
  auto history = calm();
  history.set(&NetnsView::sockets, memory_of(400000)).tick();
  const auto warning = only_finding("tcp-memory-pressure", history.history());
  CHECK(warning.severity == Severity::warning);
  CHECK(warning.netns.empty());
  CHECK(warning.summary ==
        "TCP is short of memory: its buffers took 1.5 GiB, pressure begins at 1.5 GiB and the limit is 2.2 "
        "GiB (net.ipv4.tcp_mem).");
  history.set(&NetnsView::sockets, memory_of(530000)).tick();
  const auto critical = only_finding("tcp-memory-pressure", history.history());
  CHECK(critical.severity == Severity::critical);
  REQUIRE(critical.bites);
  CHECK(critical.bites->value == 575802.0 * kPage);
  REQUIRE(critical.advice.size() == 3);
  CHECK(critical.advice[1].action == "Allow TCP more memory: up to 4.4 GiB of the machine's 24 GiB.");
  CHECK(critical.advice[1].command == "sysctl -w net.ipv4.tcp_mem='575802 767736 1151604'");
}

TEST_CASE("memory pressure that came and went is found by its counter, in whichever namespace it counts") {
  auto history = calm();
  history.set(&NetnsView::tcp, memory_counters(5)).tick();
  CHECK_THAT(only_finding("tcp-memory-pressure", history.history()).summary,
             ContainsSubstring("; memory pressure began 2 times in 10 s."));

  auto other = calm();
  const Section<TcpCounters> begin{std::make_shared<const TcpCounters>(memory_counters(0)), other.now()};
  other.snapshot().namespaces.push_back({.id = NetnsId(1), .name = "web", .tcp = begin});
  HistoryBuilder both;
  both.snapshot() = other.snapshot();
  both.tick();
  both.snapshot().namespaces[1].tcp = {std::make_shared<const TcpCounters>(memory_counters(1)), both.now()};
  both.set(&NetnsView::tcp, memory_counters(3)).tick();
  CHECK(only_finding("tcp-memory-pressure", both.history()).severity == Severity::warning);
}

TEST_CASE("connections reset for lack of memory make it critical, and so does the kernel's log line") {
  auto aborted = calm();
  aborted.set(&NetnsView::tcp, memory_counters(4, 12)).tick();
  const auto finding = only_finding("tcp-memory-pressure", aborted.history());
  CHECK(finding.severity == Severity::critical);
  CHECK_THAT(finding.summary, ContainsSubstring("12 connections reset for lack of memory."));

  auto logged = calm();
  logged.set(&Snapshot::kernel_log,
             log_of(KernelEventKind::tcp_memory, 2, "TCP: out of memory -- consider tuning tcp_mem"));
  const auto by_log = only_finding("tcp-memory-pressure", logged.tick().history());
  CHECK(by_log.severity == Severity::critical);
  CHECK_THAT(by_log.summary, ContainsSubstring("the kernel logged 2 times that it is out of memory."));
}

TEST_CASE("TCPAbortOnMemory without pressure is another limit's doing") {
  auto history = calm();
  history.set(&NetnsView::tcp, memory_counters(3, 400)).tick();
  CHECK(clear("tcp-memory-pressure", history));
}

TEST_CASE("tcp-memory-pressure stays clear with memory to spare, old counts and old lines") {
  CHECK(clear("tcp-memory-pressure", calm()));
  auto old_line = calm();
  const auto old = log_of(KernelEventKind::tcp_memory, 0, "TCP: out of memory -- consider tuning tcp_mem");
  CHECK(clear("tcp-memory-pressure", old_line.set(&Snapshot::kernel_log, old).tick()));
}

TEST_CASE("tcp-memory-pressure needs no kernel log when the memory is known") {
  CHECK(clear("tcp-memory-pressure", calm().deny(&Snapshot::kernel_log).tick()));
}

TEST_CASE("tcp-memory-pressure cannot tell without the memory, the settings or the counter") {
  constexpr auto kId = "tcp-memory-pressure";
  CHECK_FALSE(verdict_of(kId, calm().deny(&NetnsView::sockets).tick().history()).known());
  CHECK_FALSE(verdict_of(kId, calm().deny(&NetnsView::settings).tick().history()).known());
  CHECK_FALSE(verdict_of(kId, calm().deny(&NetnsView::tcp).tick().history()).known());
  CHECK_FALSE(verdict_of(kId, calm().set(&NetnsView::tcp, memory_counters({})).tick().history()).known());
  CHECK_FALSE(verdict_of(kId, calm().set(&NetnsView::tcp, memory_counters(1)).tick().history()).known());
  CHECK_THAT(why_unknown(kId, calm().set(&NetnsView::sockets, SocketUsage{}).tick()),
             ContainsSubstring("sockstat: mem"));
}

TEST_CASE("in a container, where the limit does not show, tcp-memory-pressure judges by the counters") {
  auto no_limit = calm();
  CHECK(verdict_of("tcp-memory-pressure", no_limit.set(&NetnsView::settings, Settings{}).tick().history())
            .is_clear());
}

TEST_CASE("what proves a lack of memory counts although the limit is not known") {
  auto history = calm();
  history.set(&NetnsView::settings, Settings{}).set(&NetnsView::tcp, memory_counters(4)).tick();
  const auto finding = only_finding("tcp-memory-pressure", history.history());
  CHECK(finding.summary ==
        "TCP is short of memory: its buffers took 3.9 MiB; memory pressure began once in 10 s.");
  CHECK_FALSE(finding.bites);
}

TEST_CASE("more memory is not advised when it would take more than half of the machine") {
  auto history = calm();
  history.set(&Snapshot::memory, MemoryInfo{.total_bytes = 8 * kGigabyte});
  history.set(&NetnsView::sockets, memory_of(530000)).tick();
  for (const auto& advice : only_finding("tcp-memory-pressure", history.history()).advice)
    CHECK(advice.command.find("sysctl -w") == std::string::npos);
}

TEST_CASE("a table of neighbours that overflows is named with its limit") {
  const auto history = neighbour_history({}, log_of(KernelEventKind::neighbour_table, 6, kOverflowLine));
  const auto finding = only_finding("neighbour-table-overflow", history.history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "The kernel logged 6 times in 12 s that the table of IPv4 (ARP) neighbours is full: "
        "net.ipv4.neigh.default.gc_thresh3 allows 1024.");
  CHECK(finding.advice[0].command ==
        "sysctl -w net.ipv4.neigh.default.gc_thresh1=1024 net.ipv4.neigh.default.gc_thresh2=2048 "
        "net.ipv4.neigh.default.gc_thresh3=4096");
  CHECK_THAT(finding.advice[1].command,
             ContainsSubstring(R"(printf '%s\n' 'net.ipv4.neigh.default.gc_thresh1 = 1024')"));
  CHECK(finding.advice[2].command ==
        "ip -4 neigh show nud all | sed 's, *$,,; s,.* ,,' | sort | uniq -c | sort -rn");
}

TEST_CASE("the table of IPv6 neighbours has limits of its own") {
  for (const auto* line :
       {"neighbour: ndisc_cache: neighbor table overflow!", "ipv6: Neighbour table overflow."}) {
    const auto history = neighbour_history({}, log_of(KernelEventKind::neighbour_table, 1, line));
    const auto finding = only_finding("neighbour-table-overflow", history.history());
    REQUIRE(finding.bites);
    CHECK(finding.bites->limit == "net.ipv6.neigh.default.gc_thresh3");
    CHECK(finding.bites->value == 2048);
  }
}

TEST_CASE("neighbour-table-overflow stays clear without a new line, whatever the ring still holds") {
  CHECK(clear("neighbour-table-overflow", neighbour_history({}, {})));
  const auto old =
      log_of(KernelEventKind::neighbour_table, 0, kOverflowLine, TimePoint(std::chrono::hours(1)));
  CHECK(clear("neighbour-table-overflow", neighbour_history(old, old)));
  const auto counted = log_of(KernelEventKind::neighbour_table, 40, kOverflowLine);
  CHECK(clear("neighbour-table-overflow", neighbour_history(counted, counted)));
}

TEST_CASE("neighbour-table-overflow cannot tell without the kernel log, or when records were lost") {
  constexpr auto kId = "neighbour-table-overflow";
  auto denied = neighbour_history({}, log_of(KernelEventKind::neighbour_table, 6, kOverflowLine));
  CHECK(why_unknown(kId, denied.deny(&Snapshot::kernel_log).tick()) == "test: Permission denied");
  HistoryBuilder one;
  one.set(&Snapshot::kernel_log, log_of(KernelEventKind::neighbour_table, 6, kOverflowLine)).ticks(3);
  CHECK_THAT(why_unknown(kId, one), ContainsSubstring("only one reading"));
  CHECK(why_unknown(kId, neighbour_history({}, {.lost = 70})) ==
        "kernel_log: 70 records were overwritten before they were read");
  CHECK_FALSE(clear(kId, neighbour_history(log_of(KernelEventKind::neighbour_table, 6, kOverflowLine), {})));
}
