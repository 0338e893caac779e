// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kExhausted = "ephemeral-ports-exhausted";
constexpr auto kLow = "ephemeral-ports-low";
constexpr auto kChurn = "connection-churn";

IpAddress address(const char* text) { return sample_listener(text, 1, 0, 0, 0).endpoint.address; }

Destination to(const char* destination, std::uint32_t sockets, const char* source = "10.0.0.1") {
  return {address(source), address(destination), 443, sockets};
}

// Connections to port 443, `time_wait` of them closed. By connect() two share each port where they can.
Connections clients(std::vector<Destination> destinations, std::uint32_t time_wait) {
  Connections connections;
  std::uint32_t all = 0;
  for (const auto& each : destinations) all += each.local_ports;
  PortConnections row{.port = 443};
  row.by_state[static_cast<std::size_t>(TcpState::time_wait)] = time_wait;
  row.by_state[static_cast<std::size_t>(TcpState::established)] = all - time_wait;
  connections.client = {row};
  connections.ephemeral_connections = all;
  connections.ephemeral_ports_used =
      std::max(all / 2, destinations.empty() ? 0 : destinations.front().local_ports);
  auto left = time_wait;  // of the first destinations
  for (auto& each : destinations) {
    each.time_wait = std::min(left, each.local_ports);
    left -= each.time_wait;
  }
  connections.destinations = std::move(destinations);
  return connections;
}

Destination held_by(std::uint32_t fin_wait2, std::uint32_t close_wait, std::uint32_t sockets) {
  auto held = to("10.0.0.2", sockets);
  held.fin_wait2_orphaned = fin_wait2;
  held.close_wait = close_wait;
  return held;
}

bool says(const std::vector<std::string>& texts, std::string_view part) {
  return std::ranges::any_of(texts,
                             [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

bool has_command(const Finding& finding, std::string_view part) {
  return std::ranges::any_of(
      finding.advice, [&](const Advice& advice) { return advice.command.find(part) != std::string::npos; });
}

Connections bound(std::vector<Destination> destinations) {
  auto connections = clients(std::move(destinations), 0);
  connections.ephemeral_ports_used = connections.ephemeral_connections;
  return connections;
}

HistoryBuilder with_range(std::int64_t first, std::int64_t last) {
  HistoryBuilder history;
  history.sysctl("net.ipv4.ip_local_port_range", {first, last})
      .sysctl("net.ipv4.tcp_tw_reuse", {2})
      .sysctl("net.ipv4.tcp_timestamps", {1});
  return history;
}

// A range of 500 ports, and the dumps 4 s apart.
HistoryBuilder dumps(const std::vector<Connections>& all) {
  auto history = with_range(40000, 40499);
  for (const auto& connections : all) history.set(&NetnsView::connections, connections).tick(4s);
  return history;
}

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

}  // namespace

TEST_CASE("a destination for which every port is in TIME_WAIT leaves connect() none") {
  const auto history = dumps({clients({to("10.0.0.2", 500)}, 500)});
  const auto finding = only_finding(kExhausted, history.history());
  CHECK(finding.severity == Severity::critical);
  CHECK(to_string(finding.subject) == "10.0.0.2:443");
  CHECK(finding.summary ==
        "No local port is left for connections from 10.0.0.1 to 10.0.0.2:443: 500 of 500 ephemeral ports "
        "(40000-40499) are in use: 500 in TIME_WAIT. connect() fails with EADDRNOTAVAIL (errno 99).");
  REQUIRE(finding.bites);
  CHECK(finding.bites->limit == "net.ipv4.ip_local_port_range");
  CHECK(finding.bites->value == 500);
  CHECK(has_command(finding, "sysctl -w net.ipv4.ip_local_port_range='32768 60999'"));
  CHECK(has_command(finding, "sysctl -w net.ipv4.tcp_tw_reuse=1"));
  CHECK_FALSE(has_command(finding, "fin_timeout"));
  CHECK(says(finding.not_helping, "which holds no port now; TIME_WAIT always lasts 60 s"));
}

TEST_CASE("while the last ports are free, nobody is told that none is left") {
  const auto history = dumps({clients({to("10.0.0.2", 497)}, 497)});
  CHECK_THAT(
      only_finding(kExhausted, history.history()).summary,
      ContainsSubstring("Almost no local port is left for connections") &&
          ContainsSubstring("fails with EADDRNOTAVAIL (errno 99) for a program that finds none of the last "
                            "3."));
}

TEST_CASE("exhausted ports explain that they are low and why") {
  const auto history = dumps({clients({to("10.0.0.2", 500)}, 500)});
  const std::vector<Rule> rules = {rule_of(kExhausted), rule_of(kLow), rule_of(kChurn)};
  const auto diagnosis = diagnose(history.history(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].id == kExhausted);
  CHECK(diagnosis.findings[0].consequences == std::vector<std::string>{kLow});
}

TEST_CASE("ports that are all connected are exhausted whatever TIME_WAIT does") {
  auto history = dumps({clients({to("10.0.0.2", 500)}, 0)});
  history.sysctl("net.ipv4.tcp_tw_reuse", {1}).tick();
  const auto finding = only_finding(kExhausted, history.history());
  CHECK(finding.summary.find("TIME_WAIT") == std::string::npos);
}

TEST_CASE("reserved ports and ports that are listened on are none that connect() may choose") {
  auto history = dumps({clients({to("10.0.0.2", 478)}, 0)});
  CHECK(clear(kExhausted, history));
  auto listeners = Listeners{.listeners = {sample_listener("0.0.0.0", 40010, 0, 128, 1),
                                           sample_listener("0.0.0.0", 40100, 0, 128, 2),
                                           sample_listener("::", 40100, 0, 128, 3),
                                           sample_listener("0.0.0.0", 80, 0, 128, 4)}};
  history.sysctl("net.ipv4.ip_local_reserved_ports", {20}).set(&NetnsView::listeners, std::move(listeners));
  auto settings = *history.snapshot().namespaces[0].settings.get();
  settings.sysctls.back().text = "40000-40019";
  history.set(&NetnsView::settings, std::move(settings)).tick();
  CHECK(only_finding(kExhausted, history.history()).bites->value == 479);
}

TEST_CASE("TIME_WAIT that connect() may take over holds no port") {
  const auto remote = clients({to("10.0.0.2", 500)}, 490);
  const auto loopback = clients({to("127.0.0.1", 500, "127.0.0.1")}, 490);
  CHECK_FALSE(clear(kExhausted, dumps({remote})));
  CHECK(clear(kLow, dumps({loopback})));
  auto on = dumps({remote});
  CHECK(clear(kLow, on.sysctl("net.ipv4.tcp_tw_reuse", {1}).tick()));
  auto off = dumps({loopback});
  CHECK_FALSE(clear(kExhausted, off.sysctl("net.ipv4.tcp_tw_reuse", {0}).tick()));
  auto without_timestamps = dumps({loopback});
  without_timestamps.sysctl("net.ipv4.tcp_timestamps", {0}).tick();
  const auto finding = only_finding(kExhausted, without_timestamps.history());
  for (const auto& advice : finding.advice) CHECK(advice.command.find("tw_reuse") == std::string::npos);
}

TEST_CASE("ports taken by bind() before connect() run out for all destinations together") {
  const auto history = dumps({bound({to("10.0.0.2", 250), to("10.0.0.3", 250)})});
  const auto finding = only_finding(kExhausted, history.history());
  CHECK(finding.subject.kind == SubjectKind::netns);
  CHECK(finding.summary ==
        "No local port is left: 500 of 500 ephemeral ports (40000-40499) are in use (500 open), each by one "
        "connection alone, because programs bind() before they connect(). bind() fails with EADDRINUSE "
        "(errno 98), connect() with EADDRNOTAVAIL (errno 99).");
  CHECK(std::ranges::any_of(finding.advice, [](const Advice& advice) {
    return advice.action.find("IP_BIND_ADDRESS_NO_PORT") != std::string::npos;
  }));
}

TEST_CASE("two destinations that share their ports do not exhaust them") {
  CHECK(clear(kLow, dumps({clients({to("10.0.0.2", 250), to("10.0.0.3", 250)}, 500)})));
}

TEST_CASE("ports that run out are forecast at the present slope") {
  const auto history = dumps({clients({to("10.0.0.2", 320)}, 300), clients({to("10.0.0.2", 370)}, 350),
                              clients({to("10.0.0.2", 420)}, 400)});
  const auto finding = only_finding(kLow, history.history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "84 % of the local ports for connections from 10.0.0.1 to 10.0.0.2:443 are in use, 420 of 500 "
        "(40000-40499): 400 in TIME_WAIT, 20 open; at this rate none will be left in 7 s.");
  CHECK(clear(kExhausted, history));
}

TEST_CASE("ports that bind() takes are low as well") {
  const auto finding =
      only_finding(kLow, dumps({bound({to("10.0.0.2", 210), to("10.0.0.3", 200)})}).history());
  CHECK(finding.summary ==
        "82 % of the local ports are in use: 410 of 500 (40000-40499; 410 open), each by one connection "
        "alone, because programs bind() before they connect().");
}

TEST_CASE("one service from two source addresses is one finding") {
  CHECK(
      verdict_of(kLow, dumps({clients({to("10.0.0.2", 450), to("10.0.0.2", 440, "10.0.0.7")}, 0)}).history())
          .facts()
          .size() == 1);
}

TEST_CASE("the rules about local ports stay clear while there are enough") {
  for (const auto* id : {kExhausted, kLow, kChurn}) {
    INFO(id);
    CHECK(clear(id, dumps({clients({}, 0)})));
    CHECK(clear(id, dumps({clients({to("10.0.0.2", 390)}, 390)})));
  }
}

TEST_CASE("connections that come and go faster than TIME_WAIT ends are churn") {
  std::vector<Connections> all;
  for (std::uint32_t dump = 0; dump < 5; ++dump)
    all.push_back(clients({to("10.0.0.2", 10 + 40 * dump)}, 5 + 40 * dump));
  const auto finding = only_finding(kChurn, dumps(all).history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.summary ==
        "Connections from 10.0.0.1 to 10.0.0.2:443 are opened and closed at 10 a second, and each holds its "
        "local port for 60 s in TIME_WAIT: 170 of 500 are in use and none will be left in 33 s.");
}

TEST_CASE("a burst, a slow rate, a pool that fills and ports that are taken over are no churn") {
  const auto course = [](std::vector<std::uint32_t> sockets, std::uint32_t closed_share) {
    std::vector<Connections> all;
    for (const auto count : sockets)
      all.push_back(clients({to("10.0.0.2", count)}, count * closed_share / 100));
    return dumps(all);
  };
  CHECK(clear(kChurn, course({10, 10, 10, 200, 250}, 100)));
  CHECK(clear(kChurn, course({10, 40, 70, 100, 130}, 100)));
  CHECK(clear(kChurn, course({10, 50, 90, 130, 170}, 0)));
  CHECK(clear(kChurn, course({10, 50}, 100)));
  auto reused = course({10, 50, 90, 130, 170}, 100);
  CHECK_FALSE(clear(kChurn, reused));
  CHECK(clear(kChurn, reused.sysctl("net.ipv4.tcp_tw_reuse", {1}).tick()));
}

TEST_CASE("the rules about local ports cannot tell without the connections or the settings") {
  for (const auto* id : {kExhausted, kLow, kChurn}) {
    INFO(id);
    const auto all = {clients({to("10.0.0.2", 500)}, 500)};
    auto history = dumps(all);
    CHECK_FALSE(verdict_of(id, history.deny(&NetnsView::connections).tick().history()).known());
    history = dumps(all);
    CHECK_FALSE(verdict_of(id, history.deny(&NetnsView::settings).tick().history()).known());
    history = dumps(all);
    CHECK_FALSE(verdict_of(id, history.set(&NetnsView::settings, Settings{}).tick().history()).known());
    auto reversed = with_range(60000, 40000);
    reversed.set(&NetnsView::connections, clients({to("10.0.0.2", 500)}, 500)).tick();
    CHECK_FALSE(verdict_of(id, reversed.history()).known());
  }
}

TEST_CASE("ports held in FIN_WAIT2 are told as such, and tcp_fin_timeout is said to help") {
  auto history = dumps({clients({held_by(494, 0, 500)}, 0)});
  history.sysctl("net.ipv4.tcp_fin_timeout", {60}).tick();
  const auto finding = only_finding(kExhausted, history.history());
  CHECK(finding.summary.find("are in use: 494 in FIN_WAIT2 (the peer does not close), 6 open. connect()") !=
        std::string::npos);
  CHECK(has_command(finding, "sysctl -w net.ipv4.tcp_fin_timeout=5"));
  CHECK(has_command(finding, "ss -tno state fin-wait-2 dst 10.0.0.2:443"));
  CHECK_FALSE(has_command(finding, "tw_reuse"));
  CHECK_FALSE(says(finding.not_helping, "fin_timeout"));
  CHECK(says(finding.not_helping, "net.ipv4.tcp_tw_reuse: it is for TIME_WAIT"));
  CHECK(std::ranges::find(finding.evidence,
                          Evidence{"of them in FIN_WAIT2, held by no process", 494, "ports", {}}) !=
        finding.evidence.end());
}

TEST_CASE("FIN_WAIT2 holds its port whatever tcp_tw_reuse says, TIME_WAIT of the same destination does not") {
  auto both = held_by(420, 0, 500);
  auto history = dumps({clients({both}, 80)});
  history.sysctl("net.ipv4.tcp_tw_reuse", {1}).tick();
  CHECK(clear(kExhausted, history));
  const auto finding = only_finding(kLow, history.history());
  CHECK(finding.summary.find("420 of 500 (40000-40499): 420 in FIN_WAIT2 (the peer does not close)") !=
        std::string::npos);
}

TEST_CASE("ports that programs here do not close are told with the command that names them") {
  const auto finding = only_finding(kExhausted, dumps({clients({held_by(0, 450, 500)}, 0)}).history());
  CHECK(finding.summary.find("450 in CLOSE_WAIT (the peer has closed, the program here has not), 50 open") !=
        std::string::npos);
  CHECK(finding.advice.front().command == "ss -tnp state close-wait dst 10.0.0.2:443 | head -n 20");
  CHECK(says(finding.not_helping, "fin_timeout"));
}

TEST_CASE("a server of this host that does not close is named, and its leak is the one cause") {
  auto held = held_by(494, 0, 500);
  held.source = held.destination = address("127.0.0.1");
  auto connections = clients({held}, 0);
  HistoryBuilder history = with_range(40000, 40499);
  history.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 443, 0, 128, 77)}});
  Process server{.pid = 812, .comm = "gunicorn", .listener_inodes = {77}};
  for (std::uint32_t i = 0; i < 494; ++i) {
    connections.close_wait.push_back(
        {.port = 443, .server = true, .cookie = i + 1, .inode = i + 1000, .first_seen = history.now()});
    server.close_wait_inodes.push_back(i + 1000);
  }
  history.set(&Snapshot::processes, Processes{.processes = {server}, .total = 9});
  for (int dump = 0; dump < 9; ++dump) history.set(&NetnsView::connections, connections).tick(4s);
  CHECK(only_finding(kExhausted, history.history()).subject.pid == 812);
  const std::vector<Rule> rules = {rule_of(kExhausted), rule_of(kLow), rule_of("close-wait-leak")};
  const auto diagnosis = diagnose(history.history(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].id == "close-wait-leak");
  CHECK(diagnosis.findings[0].severity == Severity::critical);
  CHECK(diagnosis.findings[0].consequences == std::vector<std::string>{kExhausted, kLow});
}
