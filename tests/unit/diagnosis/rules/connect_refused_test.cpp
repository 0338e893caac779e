// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kId = "connect-refused";

struct Counts {
  Count failed = 0, opened = 0, embryonic = 0, resets = 0, unread = 0;
};

TcpCounters counters(const Counts& counts) {
  TcpCounters tcp;
  tcp.attempt_fails = counts.failed;
  tcp.active_opens = counts.opened;
  tcp.embryonic_rsts = counts.embryonic;
  tcp.out_rsts = counts.resets;
  tcp.abort_on_close = counts.unread;
  tcp.abort_on_data = 0;
  return tcp;
}

Connections waiting(std::uint32_t syn_sent) {
  PortConnections row{.port = 6379};
  row.by_state[static_cast<std::size_t>(TcpState::syn_sent)] = syn_sent;
  return {.client = {row}};
}

// Ten quiet seconds, then the counters rise within two.
HistoryBuilder after(const Counts& begin, const Counts& end, std::uint32_t syn_sent = 0) {
  HistoryBuilder history;
  history.set(&NetnsView::connections, waiting(0)).set(&NetnsView::tcp, counters(begin)).ticks(10);
  history.set(&NetnsView::connections, waiting(syn_sent)).set(&NetnsView::tcp, counters(end)).ticks(2);
  return history;
}

bool clear(const HistoryBuilder& history) { return verdict_of(kId, history.history()).is_clear(); }

}  // namespace

TEST_CASE("connection attempts that are all refused are told, with what counters cannot say") {
  const auto finding = only_finding(kId, after({.failed = 5}, {.failed = 852, .opened = 847}).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "847 of 847 connection attempts of programs on this host failed at once in 11 s (AttemptFails), and "
        "hardly any were seen in SYN_SENT: they are refused, or the network reports that the destination "
        "cannot be reached. Counters do not show which destination it is.");
  CHECK(finding.evidence.front() == Evidence{"AttemptFails", 847, "attempts", 11s});
}

TEST_CASE("resets of programs that close connections refuse no attempt") {
  const auto finding =
      only_finding(kId, after({}, {.failed = 200, .opened = 200, .resets = 200, .unread = 190}).history());
  CHECK_THAT(finding.summary, !ContainsSubstring("no program asked for"));
}

TEST_CASE("attempts that this host refuses itself name the listener that went away") {
  auto history = after({}, {});
  history
      .set(
          &Snapshot::processes,
          Processes{.processes = {{.pid = 812, .comm = "redis-server", .listener_inodes = {77}}}, .total = 9})
      .set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("127.0.0.1", 6379, 0, 128, 77),
                                                          sample_listener("0.0.0.0", 80, 0, 128, 78)}})
      .tick();
  history.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 80, 0, 128, 78)}})
      .ticks(40);
  history.set(&NetnsView::tcp, counters({.failed = 100, .opened = 100, .resets = 100})).tick();
  const auto finding = only_finding(kId, history.history());
  CHECK(finding.summary.find("In that time the kernel of this host sent 100 resets that no program asked "
                             "for, so it is most likely ports of its own that nothing listens on: "
                             "127.0.0.1:6379 (redis-server[812]) did until 41 s ago.") != std::string::npos);
  CHECK(finding.advice.front().action ==
        "Start the service on 127.0.0.1:6379 again, if that is what is refused.");
}

TEST_CASE("a program that tries an address first where nothing listens is worth knowing only") {
  CHECK(only_finding(kId, after({}, {.failed = 100, .opened = 200}).history()).severity == Severity::info);
}

TEST_CASE(
    "connect-refused stays clear for a few, a small share, half-open connections and attempts that wait") {
  CHECK(clear(after({}, {.failed = 19, .opened = 19})));
  CHECK(clear(after({}, {.failed = 50, .opened = 1000})));
  CHECK(clear(after({}, {.failed = 500, .opened = 20, .embryonic = 500})));
  CHECK(clear(after({}, {.failed = 500, .opened = 0})));
  CHECK(clear(after({}, {.failed = 100, .opened = 100}, 60)));
  CHECK(clear(after({.failed = 847, .opened = 847}, {.failed = 847, .opened = 847})));
}

TEST_CASE("connect-refused cannot tell without the connections or a counter") {
  const Counts end{.failed = 100, .opened = 100};
  auto history = after({}, end);
  CHECK_FALSE(verdict_of(kId, history.deny(&NetnsView::connections).tick().history()).known());
  history = after({}, end);
  CHECK_FALSE(verdict_of(kId, history.deny(&NetnsView::tcp).tick().history()).known());
  CHECK_FALSE(verdict_of(kId, after({.failed = {}}, {.failed = {}}).history()).known());
  CHECK_FALSE(
      verdict_of(kId, after({.embryonic = {}}, {.failed = 100, .opened = 100, .embryonic = {}}).history())
          .known());
  CHECK_FALSE(verdict_of(kId, after({.opened = 900}, {.failed = 100, .opened = 10}).history()).known());
}
