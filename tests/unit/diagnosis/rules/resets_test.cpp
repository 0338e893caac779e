// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/facts/connections.h"
#include "core/facts/self_usage.h"
#include "core/facts/tcp_counters.h"
#include "diagnosis/catalog.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kApp = "app-reset";
constexpr auto kReuse = "idle-reuse-reset";

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

HistoryBuilder resets(const TcpCounters& before, const TcpCounters& after) {
  HistoryBuilder history;
  history.set(&NetnsView::tcp, before).ticks(10).set(&NetnsView::tcp, after).ticks(3);
  return history;
}

TcpCounters aborted(Count unread, Count lingering, Count opened = 0) {
  return {.active_opens = 0, .passive_opens = opened, .abort_on_data = lingering, .abort_on_close = unread};
}

TcpCounters reset_by_peer(Count resets, Count own = 0) {
  return {.estab_resets = resets, .abort_on_data = 0, .abort_on_close = own};
}

// Each dump shows the clients' connections that the server has closed by then, one number for each.
HistoryBuilder reuse(const TcpCounters& after, const std::vector<std::vector<std::uint64_t>>& dumps,
                     bool is_server = false) {
  HistoryBuilder history;
  history.set(&NetnsView::tcp, reset_by_peer(100));
  const auto address = [](const char* text) { return sample_listener(text, 1, 0, 0, 0).endpoint.address; };
  for (const auto& dump : dumps) {
    Connections connections{.destinations = {{address("10.0.0.1"), address("10.0.0.2"), 8080, 9}}};
    for (const auto cookie : dump)
      connections.close_wait.push_back(
          {.port = 8080, .server = is_server, .cookie = cookie, .inode = 5, .first_seen = history.now()});
    history.set(&NetnsView::connections, connections).tick(4s);
    history.set(&NetnsView::tcp, after);
  }
  return history;
}

const std::vector<std::vector<std::uint64_t>> kComeAndGo = {{}, {1, 2}, {3}, {4, 5}, {}};

}  // namespace

TEST_CASE("programs that close with unread data are told from limits of the kernel") {
  const auto finding = only_finding(kApp, resets(aborted(7, 3), aborted(27, 3, 200)).history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.summary ==
        "Programs on this host ended 20 connections with a reset in 12 s, 10 % of 200: 20 with unread data "
        "in the socket (TCPAbortOnClose). The program itself asks for these resets.");
  CHECK(finding.advice.front().command ==
        "tcpdump -nn -i any -c 50 'tcp[tcpflags] & tcp-rst != 0 or (ip6 proto 6 and ip6[53] & 4 != 0)'");
}

TEST_CASE("SO_LINGER 0 is told apart from unread data") {
  CHECK(only_finding(kApp, resets(aborted(0, 0), aborted(0, 8)).history())
            .summary.find("8 with SO_LINGER 0 or while data still arrived (TCPAbortOnData)") !=
        std::string::npos);
}

namespace {

// Who a finding says that the resets come from, with these listeners and dumps of server connections by port.
std::string told(Count connected, std::vector<Listener> listeners,
                 const std::vector<std::pair<std::uint16_t, std::uint32_t>>& server = {}) {
  auto before = aborted(7, 3), after = aborted(27, 3, 20);
  after.active_opens = connected;
  Connections connections;
  for (const auto& [port, count] : server) {
    PortConnections row{.port = port};
    row.by_state[static_cast<std::size_t>(TcpState::established)] = count;
    connections.server.push_back(row);
  }
  HistoryBuilder history;
  history.set(&NetnsView::listeners, Listeners{.listeners = std::move(listeners)})
      .set(&NetnsView::connections, connections)
      .set(&Snapshot::self, SelfUsage{.pid = 9})
      .set(&Snapshot::processes,
           Processes{.processes = {{.pid = 9, .comm = "tcpdiagd", .listener_inodes = {99}},
                                   {.pid = 812, .comm = "gunicorn", .listener_inodes = {77}}},
                     .total = 9})
      .set(&NetnsView::tcp, before)
      .ticks(10)
      .set(&NetnsView::tcp, after)
      .ticks(3);
  const auto summary = only_finding(kApp, history.history()).summary;
  const auto begin = std::min(summary.find(';'), summary.size()), end = summary.find(". The ");
  return summary.substr(begin, end - begin);
}

}  // namespace

TEST_CASE(
    "the only server to which connections were opened is told with the resets, whatever else this daemon "
    "serves") {
  const auto server = sample_listener("0.0.0.0", 8000, 0, 128, 77);
  const auto other = sample_listener("0.0.0.0", 9000, 0, 128, 78);
  const auto daemon = sample_listener("::", 10180, 0, 128, 99);
  constexpr auto kTold = "; all connections from others came to 0.0.0.0:8000 (gunicorn[812])";
  CHECK(told(0, {server}) == kTold);
  CHECK(told(0, {server, daemon}) == kTold);
  CHECK(told(0, {server, other}).empty());
  CHECK(told(1, {server}).empty());
  CHECK(told({}, {server}).empty());
  CHECK(told(0, {}).empty());
}

TEST_CASE("of several servers the one that nearly all connections were on is told") {
  const auto server = sample_listener("0.0.0.0", 8000, 0, 128, 77);
  const auto other = sample_listener("0.0.0.0", 9000, 0, 128, 78);
  const auto daemon = sample_listener("::", 10180, 0, 128, 99);
  constexpr auto kTold = "; nearly all connections seen in that time were on 0.0.0.0:8000 (gunicorn[812])";
  CHECK(told(20, {server, other, daemon}, {{8000, 90}, {9000, 10}, {10180, 500}}) == kTold);
  CHECK(told(20, {server, other}, {{8000, 60}, {9000, 40}}).empty());
  CHECK(told(20, {server, other}, {{8000, 3}}).empty());
}

TEST_CASE("servers that lose a good part of their clients' requests are a warning") {
  const auto severity = [](Count unread, Count lingering, Count opened, Count connected) {
    auto after = aborted(unread, lingering, opened);
    after.active_opens = connected;
    return only_finding(kApp, resets(aborted(0, 0), after).history()).severity;
  };
  CHECK(severity(263, 0, 424, 0) == Severity::warning);
  CHECK(severity(263, 0, 424, 424) == Severity::warning);  // both ends are here, and it is no health check
  CHECK(severity(30, 0, 30, 30) == Severity::info);        // as health checks of this host that read nothing
  CHECK(severity(40, 0, 30, 30) == Severity::warning);     // each client can have reset but once
  CHECK(severity(0, 263, 424, 0) == Severity::info);       // as load balancers end their health checks
  CHECK(severity(263, 0, 4, 424) == Severity::info);       // clients here that do not want the answer
  CHECK(severity(30, 0, 424, 0) == Severity::info);
  CHECK(severity(10, 0, 10, 0) == Severity::info);
}

TEST_CASE("with both ends on this host either may have asked for the resets") {
  const auto said = [](Count connected) {
    auto after = aborted(30, 0, 30);
    after.active_opens = connected;
    return only_finding(kApp, resets(aborted(0, 0), after).history()).summary;
  };
  CHECK(
      said(30).ends_with("(TCPAbortOnClose). The client or the server itself asks for these resets: both are "
                         "on this host, and counters do not show which of them it was."));
  CHECK(said(0).ends_with("(TCPAbortOnClose). The program itself asks for these resets."));
}

TEST_CASE("app-reset stays clear for a few, for a small share and for what was before") {
  CHECK(clear(kApp, resets(aborted(0, 0), aborted(2, 2))));
  CHECK(clear(kApp, resets(aborted(0, 0), aborted(20, 0, 1000))));
  CHECK(clear(kApp, resets(aborted(500, 500), aborted(500, 500))));
}

TEST_CASE("app-reset cannot tell when a counter is missing, reset or denied") {
  CHECK_FALSE(verdict_of(kApp, resets(aborted({}, 0), aborted({}, 9)).history()).known());
  CHECK_FALSE(verdict_of(kApp, resets(aborted(0, {}), aborted(9, {})).history()).known());
  CHECK_FALSE(verdict_of(kApp, resets(aborted(900, 0), aborted(10, 0)).history()).known());
  auto denied = resets(aborted(0, 0), aborted(20, 0));
  CHECK_FALSE(verdict_of(kApp, denied.deny(&NetnsView::tcp).tick().history()).known());
}

TEST_CASE("clients that use what the server has closed for idleness are told with the server") {
  const auto finding = only_finding(kReuse, reuse(reset_by_peer(120), kComeAndGo).history());
  CHECK(finding.severity == Severity::info);
  CHECK(to_string(finding.subject) == "10.0.0.2:8080");
  CHECK(finding.summary ==
        "20 connections were reset by the other end in 16 s, and 5 were seen that the server at "
        "10.0.0.2:8080 had closed before the client used them again: programs on this host reuse idle "
        "connections that the server has already closed.");
}

TEST_CASE("resets without such connections, and such connections without resets, are no reuse") {
  CHECK(clear(kReuse, reuse(reset_by_peer(120), {{}, {}, {}, {}})));
  CHECK(clear(kReuse, reuse(reset_by_peer(120), {{1, 2}, {1, 2}, {1, 2}})));
  CHECK(clear(kReuse, reuse(reset_by_peer(102), kComeAndGo)));
  CHECK(clear(kReuse, reuse(reset_by_peer(120, 20), kComeAndGo)));
  CHECK(clear(kReuse, reuse(reset_by_peer(1000), kComeAndGo)));
  CHECK(clear(kReuse, reuse(reset_by_peer(120), kComeAndGo, true)));
}

TEST_CASE("clients whose connections this daemon closes are no matter of idle-reuse-reset") {
  auto history = reuse(reset_by_peer(120), kComeAndGo);
  history.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("::", 8080, 0, 128, 99)}})
      .set(&Snapshot::self, SelfUsage{.pid = 9})
      .set(&Snapshot::processes,
           Processes{.processes = {{.pid = 9, .comm = "tcpdiagd", .listener_inodes = {99}}}, .total = 1})
      .tick();
  CHECK(clear(kReuse, history));
}

TEST_CASE("idle-reuse-reset cannot tell without the connections or a counter") {
  auto history = reuse(reset_by_peer(120), kComeAndGo);
  CHECK_FALSE(verdict_of(kReuse, history.deny(&NetnsView::connections).tick().history()).known());
  history = reuse(reset_by_peer(120), kComeAndGo);
  CHECK_FALSE(verdict_of(kReuse, history.deny(&NetnsView::tcp).tick().history()).known());
  CHECK_FALSE(verdict_of(kReuse, reuse(reset_by_peer({}), kComeAndGo).history()).known());
  CHECK_FALSE(verdict_of(kReuse, reuse(reset_by_peer(10), kComeAndGo).history()).known());
}

namespace {

constexpr auto kCloses = "own-limit-closes";

// A server that has so many connections open at each dump, of which there is one every 4 s; between two of
// them so many are opened, and some of those reset.
struct AtItsLimit {
  std::string process = "nginx";
  std::vector<std::uint32_t> open{18, 18, 18};
  std::uint64_t opened = 100;
  Count unread = 60, lingering = 30;
  Count connected = 0;
};

HistoryBuilder history_of(const AtItsLimit& server) {
  HistoryBuilder history;
  history.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 80, 0, 511, 77)}})
      .set(&Snapshot::processes,
           Processes{.processes = {{.pid = 812, .comm = server.process, .listener_inodes = {77}}},
                     .total = 1});
  TcpCounters tcp{.active_opens = 0, .passive_opens = 0, .abort_on_data = 0, .abort_on_close = 0};
  if (!server.unread) tcp.abort_on_close = {};
  history.set(&NetnsView::tcp, tcp);
  const auto times = [](Count each, std::size_t dumps) { return each ? Count(*each * dumps) : Count(); };
  std::size_t dumps = 0;
  for (const auto open : server.open) {
    Connections connections;
    PortConnections row{.port = 80};
    row.by_state[static_cast<std::size_t>(TcpState::established)] = open;
    connections.server.push_back(row);
    history.set(&NetnsView::connections, connections).tick(4s);
    ++dumps;
    tcp.active_opens = times(server.connected, dumps);
    tcp.passive_opens = server.opened * dumps;
    tcp.abort_on_data = times(server.lingering, dumps);
    tcp.abort_on_close = times(server.unread, dumps);
    history.set(&NetnsView::tcp, tcp);
  }
  history.tick();
  return history;
}

}  // namespace

TEST_CASE(
    "a server that closes new connections unread while as many as before stay open is at its own limit") {
  const auto finding = only_finding(kCloses, history_of({}).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "nginx[812] closes new connections on 0.0.0.0:80 before it has read the request: 270 of 300 that "
        "were opened in 12 s were reset, while 18 stay open all the time. It does so when it has no "
        "connection to spare: worker_connections in the events block of nginx.conf.");
  CHECK(finding.subject.process == "nginx");
  CHECK(finding.bites->limit == "worker_connections in the events block of nginx.conf");
  CHECK(finding.advice.front().command == "tail -n 20 /var/log/nginx/error.log");
}

TEST_CASE("a reset counts for the own limit since its connections stay the same, and only those of servers") {
  CHECK(only_finding(kCloses, history_of({.open = {3, 9, 100, 100}}).history())
            .summary.find("180 of 200 that were opened in 8 s") != std::string::npos);
  CHECK(clear(kCloses, history_of({.open = {3, 9, 100, 200}})));
  CHECK(clear(kCloses, history_of({.connected = 1000})));
  const auto either = only_finding(kCloses, history_of({.connected = 100}).history());  // both ends are here
  CHECK(either.severity == Severity::info);
  CHECK(either.summary.ends_with("Counters do not show whether these were its connections."));
}

TEST_CASE("the own limit is not the reason where a server lets others wait, is idle or resets few") {
  CHECK(clear(kCloses, history_of({.process = "haproxy"})));
  CHECK(clear(kCloses, history_of({.process = "gunicorn"})));
  CHECK(clear(kCloses, history_of({.open = {0, 0, 0}})));
  CHECK(clear(kCloses, history_of({.open = {4, 4, 4}})));
  CHECK(clear(kCloses, history_of({.unread = 10, .lingering = 10})));
  CHECK(clear(kCloses, history_of({.opened = 8, .unread = 4, .lingering = 2})));
  CHECK(clear(kCloses, history_of({.unread = 150, .lingering = 30})));  // more than were opened
}

TEST_CASE("own-limit-closes cannot tell without dumps, listeners or the counters of resets") {
  CHECK_FALSE(verdict_of(kCloses, history_of({.unread = {}}).history()).known());
  CHECK_FALSE(verdict_of(kCloses, history_of({.lingering = {}}).history()).known());
  CHECK_FALSE(verdict_of(kCloses, history_of({.connected = {}}).history()).known());
  auto no_dumps = history_of({});
  CHECK_FALSE(verdict_of(kCloses, no_dumps.deny(&NetnsView::connections).tick().history()).known());
  auto no_listeners = history_of({});
  CHECK_FALSE(verdict_of(kCloses, no_listeners.deny(&NetnsView::listeners).tick().history()).known());
}

TEST_CASE("programs that reset are a consequence where the server's own limit explains it") {
  const auto history = history_of({});
  const auto diagnosis = diagnose(history.history(), rule_catalog(), {});
  const auto has = [&](const auto& findings, std::string_view id) {
    return std::ranges::any_of(findings, [&](const Finding& finding) { return finding.id == id; });
  };
  CHECK(has(diagnosis.findings, kCloses));
  CHECK_FALSE(has(diagnosis.findings, kApp));
}
