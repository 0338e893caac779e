// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"
#include "core/facts/socket_usage.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kHigh = "time-wait-server-high";
constexpr auto kOverflow = "time-wait-bucket-overflow";
constexpr auto kFinWait2 = "fin-wait2-high";
constexpr auto kOrphans = "orphans-high";

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

PortConnections in_state(std::uint16_t port, TcpState state, std::uint32_t count) {
  PortConnections row{.port = port};
  row.by_state[static_cast<std::size_t>(state)] = count;
  return row;
}

HistoryBuilder time_wait(const Connections& connections) {
  HistoryBuilder history;
  history.sysctl("net.ipv4.ip_local_port_range", {40000, 40499})
      .sysctl("net.ipv4.tcp_max_tw_buckets", {131072})
      .set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 80, 0, 128, 77)}})
      .set(&NetnsView::connections, connections)
      .tick();
  return history;
}

HistoryBuilder overflows(Count before, Count after) {
  HistoryBuilder history;
  history.sysctl("net.ipv4.tcp_max_tw_buckets", {100})
      .set(&NetnsView::sockets, SocketUsage{.time_wait = 100})
      .set(&NetnsView::tcp, TcpCounters{.time_wait_overflow = before})
      .ticks(10)
      .set(&NetnsView::tcp, TcpCounters{.time_wait_overflow = after})
      .ticks(3);
  return history;
}

HistoryBuilder fin_wait2(const std::vector<std::uint32_t>& counts, std::int64_t timeout = 60) {
  HistoryBuilder history;
  history.sysctl("net.ipv4.tcp_fin_timeout", {timeout}).sysctl("net.ipv4.tcp_max_tw_buckets", {4096});
  for (const auto count : counts) {
    auto row = in_state(80, TcpState::fin_wait2, count + 5);
    row.fin_wait2_orphaned = count;
    history.set(&NetnsView::connections, Connections{.server = {row}}).tick(4s);
  }
  return history;
}

HistoryBuilder orphans(const std::vector<std::uint64_t>& counts, Count aborted = 0) {
  HistoryBuilder history;
  history.sysctl("net.ipv4.tcp_max_orphans", {8192}).set(&NetnsView::tcp, TcpCounters{.abort_on_memory = 0});
  history.set(&NetnsView::sockets, SocketUsage{.orphans = 0}).ticks(5);
  history.set(&NetnsView::tcp, TcpCounters{.abort_on_memory = aborted});
  for (const auto count : counts) history.set(&NetnsView::sockets, SocketUsage{.orphans = count}).tick();
  return history;
}

}  // namespace

TEST_CASE("many connections of a server in TIME_WAIT are told to be harmless") {
  const auto finding =
      only_finding(kHigh, time_wait({.server = {in_state(80, TcpState::time_wait, 500)}}).history());
  CHECK(finding.severity == Severity::info);
  CHECK(to_string(finding.subject) == "0.0.0.0:80");
  CHECK(finding.summary ==
        "500 connections of 0.0.0.0:80 are in TIME_WAIT because this end closes first. That is harmless: "
        "they use no ephemeral port here and go away after 60 s; the kernel keeps up to 131072 of them.");
}

TEST_CASE("TIME_WAIT of a port whose listener is gone is told with the port") {
  const auto finding =
      only_finding(kHigh, time_wait({.server = {in_state(81, TcpState::time_wait, 500)}}).history());
  CHECK(finding.summary.starts_with("500 connections of port 81 are in TIME_WAIT"));
}

TEST_CASE("a few connections in TIME_WAIT and those of clients are no word worth") {
  CHECK(clear(kHigh, time_wait({.server = {in_state(80, TcpState::time_wait, 249)}})));
  CHECK(clear(kHigh, time_wait({.client = {in_state(443, TcpState::time_wait, 500)}})));
  CHECK(clear(kHigh, time_wait({.server = {in_state(80, TcpState::established, 10000)}})));
}

TEST_CASE("time-wait-server-high cannot tell without the connections or the range of ports") {
  const Connections many{.server = {in_state(80, TcpState::time_wait, 500)}};
  auto history = time_wait(many);
  CHECK_FALSE(verdict_of(kHigh, history.deny(&NetnsView::connections).tick().history()).known());
  history = time_wait(many);
  CHECK_FALSE(verdict_of(kHigh, history.deny(&NetnsView::settings).tick().history()).known());
  history = time_wait(many);
  CHECK_FALSE(verdict_of(kHigh, history.set(&NetnsView::settings, Settings{}).tick().history()).known());
}

TEST_CASE("connections closed without TIME_WAIT are told with the limit") {
  const auto finding = only_finding(kOverflow, overflows(7, 907).history());
  CHECK(finding.summary ==
        "900 connections were closed without TIME_WAIT in 12 s because there was no room for it: up to 100 "
        "were in TIME_WAIT and net.ipv4.tcp_max_tw_buckets allows 100.");
  CHECK(*finding.bites == Bites{"net.ipv4.tcp_max_tw_buckets", 100, "", {}});
  CHECK(finding.advice.front().command == "sysctl -w net.ipv4.tcp_max_tw_buckets=262144");
}

TEST_CASE("time-wait-bucket-overflow rests on the increase alone") {
  CHECK(clear(kOverflow, overflows(900, 900)));
  CHECK(clear(kOverflow, overflows(900, 905)));
  CHECK_FALSE(verdict_of(kOverflow, overflows({}, {}).history()).known());
  CHECK_FALSE(verdict_of(kOverflow, overflows(900, 10).history()).known());
  auto denied = overflows(7, 907);
  CHECK_FALSE(verdict_of(kOverflow, denied.deny(&NetnsView::tcp).tick().history()).known());
}

TEST_CASE("peers that do not close pile up in FIN_WAIT2") {
  const auto finding = only_finding(kFinWait2, fin_wait2({1100, 1200}).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "1200 connections that this host has closed wait in FIN_WAIT2 because the other end does not close; "
        "1200 of them are on port 80. Their limit is 4096 (net.ipv4.tcp_max_tw_buckets) and each is kept for "
        "60 s.");
  CHECK(finding.advice[1].command == "sysctl -w net.ipv4.tcp_fin_timeout=20");
}

TEST_CASE("FIN_WAIT2 for longer than 60 s is limited as orphans are") {
  auto history = fin_wait2({1100, 1200}, 120);
  CHECK_FALSE(verdict_of(kFinWait2, history.history()).known());
  history.sysctl("net.ipv4.tcp_max_orphans", {4000}).tick();
  CHECK(only_finding(kFinWait2, history.history()).bites->limit == "net.ipv4.tcp_max_orphans");
}

TEST_CASE("fin-wait2-high stays clear for a moment and for few, and cannot tell without its sources") {
  CHECK(clear(kFinWait2, fin_wait2({0, 1200})));
  CHECK(clear(kFinWait2, fin_wait2({1000, 1000})));
  auto history = fin_wait2({1100, 1200});
  CHECK_FALSE(verdict_of(kFinWait2, history.deny(&NetnsView::connections).tick().history()).known());
  history = fin_wait2({1100, 1200});
  CHECK_FALSE(verdict_of(kFinWait2, history.deny(&NetnsView::settings).tick().history()).known());
}

TEST_CASE("orphans are told from where their limit can bite") {
  const auto finding = only_finding(kOrphans, orphans({2100, 2100, 2100, 2100}).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.subject.kind == SubjectKind::host);
  CHECK(finding.summary ==
        "2100 sockets are closed by their process but not yet by the network: 26 % of "
        "net.ipv4.tcp_max_orphans (8192), which bites from a quarter up.");
}

TEST_CASE("orphans that are reset for it are critical") {
  const auto finding = only_finding(kOrphans, orphans({2100, 2100, 2100, 2100}, 40).history());
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.summary.find("; 40 connections were reset because of it in 8 s.") != std::string::npos);
}

TEST_CASE("orphans-high stays clear for a moment and for few, and cannot tell without its sources") {
  CHECK(clear(kOrphans, orphans({2100})));
  CHECK(clear(kOrphans, orphans({2000, 2000, 2000, 2000})));
  CHECK(clear(kOrphans, orphans({2100, 2100, 2100, 2100, 10})));
  auto history = orphans({2100, 2100, 2100, 2100});
  CHECK_FALSE(verdict_of(kOrphans, history.deny(&NetnsView::sockets).tick().history()).known());
  history = orphans({2100, 2100, 2100, 2100});
  CHECK_FALSE(verdict_of(kOrphans, history.set(&NetnsView::sockets, SocketUsage{}).tick().history()).known());
  history = orphans({2100, 2100, 2100, 2100});
  CHECK_FALSE(verdict_of(kOrphans, history.deny(&NetnsView::settings).tick().history()).known());
  // The limit is the machine's and does not show in a container.
  CHECK(clear(kOrphans, history.set(&NetnsView::settings, Settings{}).tick()));
}
