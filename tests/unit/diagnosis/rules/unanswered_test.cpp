// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kId = "syn-sent-unanswered";

IpAddress address(const char* text) { return sample_listener(text, 1, 0, 0, 0).endpoint.address; }

Destination to(const char* destination, std::uint16_t port, std::uint32_t sockets,
               const char* source = "10.0.0.1") {
  return {address(source), address(destination), port, sockets};
}

Connections waiting(std::vector<Destination> unanswered, std::vector<Destination> all = {}) {
  if (all.empty()) all = unanswered;
  return {.destinations = std::move(all), .unanswered = std::move(unanswered)};
}

TcpCounters counters(Count retransmitted, Count opened = 0, Count drops = 0) {
  TcpCounters tcp;
  tcp.syn_retrans = retransmitted;
  tcp.active_opens = opened;
  tcp.listen_drops = drops;
  return tcp;
}

// Three dumps 4 s apart; in each second `per_second` more connections are opened.
HistoryBuilder dumps(const Connections& connections, std::uint64_t retransmitted,
                     std::uint64_t per_second = 0, std::uint64_t drops = 0) {
  HistoryBuilder history;
  history.sysctl("net.ipv4.tcp_syn_retries", {6})
      .set(&NetnsView::connections, waiting({}))
      .set(&NetnsView::tcp, counters(7))
      .tick(1s);
  for (std::uint64_t second = 1; second <= 12; ++second) {
    history.set(&NetnsView::tcp, counters(7 + retransmitted * second / 12, per_second * second, drops));
    if (second % 4 == 0) history.set(&NetnsView::connections, connections);
    history.tick(1s);
  }
  return history;
}

bool clear(const HistoryBuilder& history) { return verdict_of(kId, history.history()).is_clear(); }

}  // namespace

TEST_CASE("SYNs that are sent again are not told of one destination when another waits as well") {
  const auto history = dumps(waiting({to("10.0.0.2", 5432, 20), to("10.0.0.3", 81, 80)}), 600, 2);
  const auto facts = verdict_of(kId, history.history()).facts();
  REQUIRE(facts.size() == 2);
  for (const auto& each : facts) {
    CHECK_FALSE(each.values.contains("retransmitted"));
    CHECK(each.values.at("retransmitted_to_all") == "600");
  }
}

TEST_CASE("a destination behind a firewall that drops SYNs is named") {
  const auto finding = only_finding(kId, dumps(waiting({to("10.0.0.2", 5432, 20)}), 60, 2).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.subject.kind == SubjectKind::destination);
  CHECK(to_string(finding.subject) == "10.0.0.2:5432");
  CHECK(finding.summary ==
        "10.0.0.2:5432 does not answer: 20 connections wait in SYN_SENT and 60 SYNs were sent again in 12 s. "
        "The far end or the path drops them, not this host's queues.");
  REQUIRE(finding.evidence.size() == 2);
  CHECK(finding.evidence[1] == Evidence{"TCPSynRetrans", 60, "SYNs", 12s});
  CHECK(finding.advice.front().command ==
        "tcpdump -nn -c 20 'icmp or icmp6 or (host 10.0.0.2 and tcp port 5432)'");
  CHECK(finding.not_helping.back().find("now 6") != std::string::npos);
}

TEST_CASE("an IPv6 destination is written as ss and a person write it") {
  const auto finding = only_finding(kId, dumps(waiting({to("fd00::2", 443, 20, "fd00::1")}), 60).history());
  CHECK(finding.advice[3].command == "ss -tnp state syn-sent dst [fd00::2]:443");
}

TEST_CASE("connections from several source addresses to one destination are one finding") {
  const auto connections = waiting({to("10.0.0.2", 443, 2), to("10.0.0.2", 443, 2, "10.0.0.9")});
  CHECK(only_finding(kId, dumps(connections, 12).history()).evidence[0].value == 4);
}

TEST_CASE("many destinations that do not answer are one finding about the way to them") {
  std::vector<Destination> all;
  for (std::uint16_t port = 1; port <= 9; ++port) all.push_back(to("10.0.0.2", port, 5));
  const auto finding = only_finding(kId, dumps(waiting(all), 60).history());
  CHECK(finding.subject.kind == SubjectKind::netns);
  CHECK(finding.summary.starts_with(
      "9 destinations do not answer, 10.0.0.2:1 among them: 45 connections wait in SYN_SENT and 60 SYNs"));
  CHECK(finding.advice.front().command == "tcpdump -nn -c 20 'icmp or icmp6'");
}

TEST_CASE("a client that opens connections fast has some under way and is no finding") {
  // A round trip of 200 ms, 100 connections a second, one SYN in a hundred lost.
  const auto busy = waiting({to("10.0.0.2", 443, 20)}, {to("10.0.0.2", 443, 60)});
  CHECK(clear(dumps(busy, 12, 100)));
}

TEST_CASE("syn-sent-unanswered counts a destination that is not among the busiest with what it may have") {
  std::vector<Destination> busiest;
  for (std::uint16_t port = 1; port <= Connections::kDestinations; ++port)
    busiest.push_back(to("10.0.0.3", port, 500));
  CHECK(clear(dumps(waiting({to("10.0.0.2", 443, 20)}, busiest), 12, 100)));
}

TEST_CASE("new connections that hang beside established ones are named") {
  const auto pool = waiting({to("10.0.0.2", 443, 20)}, {to("10.0.0.2", 443, 70)});
  CHECK_FALSE(clear(dumps(pool, 60, 2)));
}

TEST_CASE("syn-sent-unanswered stays clear for a single dump, a few sockets, a scan and no repeated SYN") {
  CHECK(clear(dumps(waiting({to("10.0.0.2", 443, 2)}), 12)));
  CHECK(clear(dumps(waiting({to("10.0.0.2", 443, 20)}), 0)));
  std::vector<Destination> scan;
  for (std::uint16_t port = 1; port <= 20; ++port) scan.push_back(to("10.0.0.2", port, 1));
  CHECK(clear(dumps(waiting(scan), 60)));
  auto once = dumps(waiting({}), 12);
  once.set(&NetnsView::connections, waiting({to("10.0.0.2", 443, 20)})).tick();
  CHECK(clear(once));
  auto over = dumps(waiting({to("10.0.0.2", 443, 20)}), 12);
  over.set(&NetnsView::connections, waiting({})).tick();
  CHECK(clear(over));
}

TEST_CASE("SYNs that this host's own listener drops are not blamed on the path") {
  const auto own = waiting({to("10.0.0.1", 80, 20)});
  auto history = dumps(own, 60, 0, 100);
  history.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 80, 129, 128, 1)}})
      .tick();
  CHECK(clear(history));
  auto firewalled = dumps(own, 60);
  firewalled.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 80, 0, 128, 1)}})
      .tick();
  CHECK_FALSE(clear(firewalled));
}

TEST_CASE("syn-sent-unanswered cannot tell without the connections or TCPSynRetrans") {
  const auto silent = waiting({to("10.0.0.2", 443, 20)});
  auto history = dumps(silent, 60);
  CHECK_FALSE(verdict_of(kId, history.deny(&NetnsView::connections).tick().history()).known());
  history = dumps(silent, 60);
  CHECK_FALSE(verdict_of(kId, history.deny(&NetnsView::tcp).tick().history()).known());
  history = dumps(silent, 60);
  CHECK_FALSE(verdict_of(kId, history.set(&NetnsView::tcp, counters(1)).tick().history()).known());
  history = dumps(silent, 60);
  CHECK_FALSE(verdict_of(kId, history.set(&NetnsView::tcp, counters({})).tick().history()).known());
  HistoryBuilder first;
  first.set(&NetnsView::connections, silent).set(&NetnsView::tcp, counters(60)).tick();
  CHECK_FALSE(verdict_of(kId, first.history()).known());
}
