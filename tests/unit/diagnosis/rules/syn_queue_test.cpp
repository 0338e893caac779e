// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

struct Counts {
  Count sent = 0, received = 0, queue_full = 0, drops = 0, overflows = 0;
};

TcpCounters counters(const Counts& counts) {
  TcpCounters tcp;
  tcp.syncookies_sent = counts.sent;
  tcp.syncookies_received = counts.received;
  tcp.req_q_full_drop = counts.queue_full;
  tcp.listen_drops = counts.drops;
  tcp.listen_overflows = counts.overflows;
  return tcp;
}

Listeners listening(std::uint64_t drops = 0) {
  auto listener = sample_listener("0.0.0.0", 80, 0, 64, 7);
  listener.drops = drops;
  return {.listeners = {std::move(listener)}};
}

Connections half_open(std::uint32_t count) {
  const auto listener = sample_listener("0.0.0.0", 80, 0, 64, 7);
  return {.half_open = {{listener.endpoint, count}}};
}

// Ten quiet seconds, then the counters rise at once and four seconds pass.
HistoryBuilder after(const Counts& begin, const Counts& end, std::int64_t syncookies,
                     std::uint32_t syn_recv) {
  HistoryBuilder history;
  history.sysctl("net.ipv4.tcp_syncookies", {syncookies})
      .sysctl("net.core.somaxconn", {4096})
      .sysctl("net.ipv4.tcp_max_syn_backlog", {256})
      .set(&NetnsView::listeners, listening())
      .set(&NetnsView::connections, half_open(0));
  for (int second = 0; second < 10; ++second) history.set(&NetnsView::tcp, counters(begin)).tick();
  history.set(&NetnsView::connections, half_open(syn_recv));
  for (int second = 0; second < 4; ++second) history.set(&NetnsView::tcp, counters(end)).tick();
  return history;
}

bool clear(std::string_view id, const HistoryBuilder& history) {
  return verdict_of(id, history.history()).is_clear();
}

}  // namespace

TEST_CASE("cookies that come back are a burst of real clients larger than the backlog") {
  const auto history = after({}, {.sent = 57, .received = 57}, 1, 60);
  const auto finding = only_finding("syn-queue-overflow", history.history());
  CHECK(to_string(finding.subject) == "0.0.0.0:80");
  CHECK(finding.summary ==
        "More clients connected at once to 0.0.0.0:80 than its backlog of 64 holds: 57 SYN cookies were sent "
        "in 13 s and 100 % of them came back, so they are real clients, not a flood.");
  REQUIRE(finding.bites);
  CHECK(finding.bites->value == 64);
  CHECK(finding.bites->ceiling == "net.core.somaxconn");
  CHECK(clear("syn-flood-suspected", history));
  CHECK(clear("syn-queue-full", history));
}

TEST_CASE("cookies that nobody answers are a flood") {
  const auto history = after({.sent = 5}, {.sent = 940}, 1, 65);
  const auto finding = only_finding("syn-flood-suspected", history.history());
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.summary ==
        "0.0.0.0:80 gets SYNs that are never followed up: 935 SYN cookies were sent in 13 s and 0 came back; "
        "65 half-open connections fill its queue of 64.");
  CHECK(clear("syn-queue-overflow", history));
  CHECK(clear("syn-queue-full", history));
}

TEST_CASE("a flood on a host whose listeners are not known is a finding about the namespace") {
  auto history = after({}, {.sent = 935}, 1, 65);
  history.deny(&NetnsView::listeners).deny(&NetnsView::connections).tick();
  const auto finding = only_finding("syn-flood-suspected", history.history());
  CHECK(finding.subject.kind == SubjectKind::netns);
  CHECK(finding.summary ==
        "SYNs that are never followed up: 935 SYN cookies were sent in 14 s and 0 came back.");
}

TEST_CASE("cookies of which a part comes back are neither called a burst nor a flood") {
  const auto history = after({}, {.sent = 200, .received = 60}, 1, 65);
  CHECK(only_finding("syn-queue-full", history.history()).severity == Severity::warning);
  CHECK(clear("syn-queue-overflow", history));
  CHECK(clear("syn-flood-suspected", history));
}

TEST_CASE("cookies that were sent a moment ago are not judged yet") {
  auto history = after({}, {}, 1, 0);
  history.set(&NetnsView::tcp, counters({.sent = 900})).tick();
  const auto verdict = verdict_of("syn-flood-suspected", history.history());
  REQUIRE_FALSE(verdict.known());
  CHECK(verdict.why().code == Errc::too_early);
  CHECK(clear("syn-queue-full", history));
}

TEST_CASE("cookies sent before the window began do not count") {
  const auto history = after({.sent = 935}, {.sent = 935}, 1, 65);
  CHECK(clear("syn-flood-suspected", history));
}

TEST_CASE("cookies for every SYN, which tcp_syncookies=2 asks for, mean nothing") {
  const auto history = after({}, {.sent = 935}, 2, 65);
  for (const auto* id : {"syn-queue-overflow", "syn-queue-full", "syn-flood-suspected", "syn-queue-drop",
                         "syn-backlog-sysctl-limit"})
    CHECK(clear(id, history));
}

TEST_CASE("the SYN queue rules cannot tell without their counters or the setting") {
  for (const auto* id : {"syn-queue-overflow", "syn-queue-full", "syn-flood-suspected"}) {
    INFO(id);
    CHECK_FALSE(verdict_of(id, after({.sent = {}}, {.sent = {}}, 1, 65).history()).known());
    CHECK_FALSE(verdict_of(id, after({.sent = 900}, {.sent = 10}, 1, 65).history()).known());
    auto history = after({}, {.sent = 935}, 1, 65);
    CHECK_FALSE(verdict_of(id, history.deny(&NetnsView::tcp).tick().history()).known());
    CHECK_FALSE(verdict_of(id, history.deny(&NetnsView::settings).tick().history()).known());
  }
}

TEST_CASE("SYNs dropped with cookies off are named with the queue that is full") {
  const auto history = after({}, {.queue_full = 935, .drops = 935}, 0, 65);
  const auto finding = only_finding("syn-queue-drop", history.history());
  CHECK(finding.summary ==
        "935 SYNs to 0.0.0.0:80 were dropped in 13 s: the SYN queue of 64 is full and "
        "net.ipv4.tcp_syncookies is 0.");
  CHECK(clear("syn-backlog-sysctl-limit", history));
}

TEST_CASE(
    "syn-queue-drop stays clear while cookies are on and cannot tell when the counter is missing or reset") {
  CHECK(clear("syn-queue-drop", after({}, {.queue_full = 935}, 1, 65)));
  CHECK_FALSE(
      verdict_of("syn-queue-drop", after({.queue_full = {}}, {.queue_full = {}}, 0, 65).history()).known());
  CHECK_FALSE(
      verdict_of("syn-queue-drop", after({.queue_full = 900}, {.queue_full = 10}, 0, 65).history()).known());
}

TEST_CASE("ListenDrops that rise alone at three quarters of tcp_max_syn_backlog are that setting's doing") {
  const auto history = after({}, {.drops = 807}, 0, 193);
  const auto finding = only_finding("syn-backlog-sysctl-limit", history.history());
  REQUIRE(finding.bites);
  CHECK(finding.bites->limit == "net.ipv4.tcp_max_syn_backlog");
  CHECK(finding.bites->value == 256);
  CHECK(clear("syn-queue-drop", history));
}

TEST_CASE(
    "syn-backlog-sysctl-limit stays clear when other drops explain ListenDrops or nothing is half-open") {
  CHECK(clear("syn-backlog-sysctl-limit", after({}, {.drops = 807, .overflows = 807}, 0, 193)));
  CHECK(clear("syn-backlog-sysctl-limit", after({}, {.drops = 807}, 0, 10)));
  CHECK(clear("syn-backlog-sysctl-limit", after({}, {.drops = 807}, 1, 193)));
}

TEST_CASE("syn-backlog-sysctl-limit cannot tell when a counter is missing or the connections are") {
  CHECK_FALSE(
      verdict_of("syn-backlog-sysctl-limit", after({.drops = {}}, {.drops = {}}, 0, 193).history()).known());
  auto history = after({}, {.drops = 807}, 0, 193);
  CHECK_FALSE(
      verdict_of("syn-backlog-sysctl-limit", history.deny(&NetnsView::connections).tick().history()).known());
}

namespace {

// A flood or its like from second 10 on, `per_second` cookies each, of which every twentieth comes back at
// once.
HistoryBuilder onset(int seconds, std::uint64_t per_second, std::uint64_t every) {
  HistoryBuilder history = after({}, {}, 1, 65);
  for (std::uint64_t second = 1; second <= static_cast<std::uint64_t>(seconds); ++second)
    history
        .set(&NetnsView::tcp,
             counters({.sent = per_second * second, .received = per_second * second / every}))
        .tick();
  return history;
}

// A listener counts SYNs among its drops that the namespace counts nowhere.
HistoryBuilder without_answers(std::uint64_t again, std::optional<IpAddress> from) {
  auto history = after({}, {.sent = 935}, 1, 65);
  auto connections = half_open(65);
  connections.half_open.front().mostly_from = from;
  history.set(&NetnsView::listeners, listening(again)).set(&NetnsView::connections, connections).tick();
  return history;
}

}  // namespace

TEST_CASE("at the onset of a flood no share is told that a later look would take back") {
  for (int seconds = 1; seconds <= 40; ++seconds) {
    INFO(seconds);
    const auto history = onset(seconds, 200, 20);
    CHECK(clear("syn-queue-full", history));
    CHECK(clear("syn-queue-overflow", history));
    if (seconds >= 5) CHECK_FALSE(clear("syn-flood-suspected", history));
  }
}

TEST_CASE("the share of cookies that came back compares what was sent and what came back in the same time") {
  const auto finding = only_finding("syn-queue-full", onset(12, 200, 4).history());
  CHECK(finding.summary.find("2400 SYN cookies were sent in 25 s and 25 % of them came back") !=
        std::string::npos);
}

TEST_CASE("real clients whose answers are lost are not called a flood") {
  const auto history = without_answers(260, sample_listener("10.0.0.2", 1, 0, 0, 0).endpoint.address);
  CHECK(clear("syn-flood-suspected", history));
  const auto finding = only_finding("syn-queue-full", history.history());
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary.find(
            "260 SYNs were repeated for connections that were already half-open, and most of these come from "
            "10.0.0.2: real clients whose answers are lost on the way back, or a flood from 10.0.0.2.") !=
        std::string::npos);
  CHECK(finding.advice[0].command == "tcpdump -nn -i any -c 100 'tcp port 80 and host 10.0.0.2'");
}

TEST_CASE("half-open connections of one address, or SYNs that come again, leave open what it is") {
  const auto one = sample_listener("10.0.0.2", 1, 0, 0, 0).endpoint.address;
  CHECK(only_finding("syn-queue-full", without_answers(0, one).history())
            .summary.find("Most half-open connections come from 10.0.0.2") != std::string::npos);
  CHECK(only_finding("syn-queue-full", without_answers(60, {}).history())
            .summary.find("or a flood that repeats its SYNs") != std::string::npos);
  CHECK_FALSE(clear("syn-flood-suspected", without_answers(5, {})));
}

TEST_CASE("SYNs that come again are counted for a listener that began within the window, too") {
  HistoryBuilder history;
  history.sysctl("net.ipv4.tcp_syncookies", {1}).set(&NetnsView::listeners, Listeners{});
  history.set(&NetnsView::connections, half_open(65));
  for (std::uint64_t second = 0; second < 10; ++second) {
    if (second == 2) history.set(&NetnsView::listeners, listening());
    if (second == 9) history.set(&NetnsView::listeners, listening(260));
    history.set(&NetnsView::tcp, counters({.sent = second < 5 ? 0 : 935})).tick();
  }
  CHECK(clear("syn-flood-suspected", history));
  const auto facts = verdict_of("syn-queue-full", history.history()).facts();
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].values.at("again") == "260");
}
