// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>

#include "core/facts/connections.h"
#include "core/facts/interfaces.h"
#include "core/facts/netns_list.h"
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

namespace {

IpAddress address(const char* text) { return sample_listener(text, 1, 0, 0, 0).endpoint.address; }

struct Container {
  std::uint64_t resets = 0;   // that its kernel has sent at the end
  Listeners before{}, now{};  // what listens there
  std::vector<PublishedPort> published{};
  const char* name = "shop";
};

// The host's clients fail, and a container found as process 812 sends resets meanwhile.
HistoryBuilder beside(const HistoryBuilder& host, const Container& container) {
  HistoryBuilder both;
  const auto& snapshots = host.history().snapshots();
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const bool is_end = i + 2 >= snapshots.size();
    const auto at = snapshots[i].at;
    both.snapshot() = snapshots[i];
    const auto id = static_cast<std::uint32_t>(snapshots[i].namespaces.size());
    NetnsView view{.id = NetnsId(id), .generation = id, .name = container.name};
    view.interfaces = {std::make_shared<const Interfaces>(Interfaces{.addresses = {address("172.17.0.2")}}),
                       at};
    view.listeners = {std::make_shared<const Listeners>(is_end ? container.now : container.before), at};
    view.tcp = {std::make_shared<const TcpCounters>(counters({.resets = is_end ? container.resets : 0})), at};
    both.snapshot().namespaces.push_back(view);
    NetnsList list{.published = container.published};
    if (const auto* known = snapshots[i].netns_list.get()) list.namespaces = known->namespaces;
    list.namespaces.push_back(
        {.generation = id, .anchor_pid = 812, .name = container.name, .kind = NetnsKind::docker});
    both.snapshot().netns_list = {std::make_shared<const NetnsList>(list), at};
    both.tick();
  }
  return both;
}

Listeners port_5000() { return {.listeners = {sample_listener("0.0.0.0", 5000, 0, 128, 77)}}; }

const HistoryBuilder& refused_clients() {
  static const auto history = after({}, {.failed = 100, .opened = 100});
  return history;
}

Finding host_finding(const HistoryBuilder& history) {
  const auto findings = diagnose(history.history(), {&rule_of(kId), 1}, {}).findings;
  REQUIRE(findings.size() == 1);
  return findings[0];
}

}  // namespace

TEST_CASE("attempts that a container of this host refuses name it, and what listened there") {
  const auto finding = host_finding(beside(refused_clients(), {.resets = 100, .before = port_5000()}));
  CHECK_THAT(
      finding.summary,
      ContainsSubstring("In that time container shop sent 100 resets that no program asked for, so it is "
                        "most likely port 5000 there that nothing listens on: 0.0.0.0:5000 did until "
                        "2 s ago. Counters"));
  CHECK(std::ranges::any_of(
      finding.advice, [](const Advice& advice) { return advice.command == "nsenter -t 812 -n ss -ltnp"; }));
}

TEST_CASE("a published port that leads to where nothing listens is named") {
  const PublishedPort port{address("0.0.0.0"), 8080, address("172.17.0.2"), 5000};
  CHECK_THAT(
      host_finding(beside(refused_clients(), {.resets = 100, .published = {port}})).summary,
      ContainsSubstring("In that time container shop sent 100 resets that no program asked for, so it is "
                        "most likely port 5000 there that nothing listens on. Counters"));
  const Container listening{.resets = 100, .before = port_5000(), .now = port_5000(), .published = {port}};
  CHECK_THAT(host_finding(beside(refused_clients(), listening)).summary,
             ContainsSubstring("so it is most likely a port there that nothing listens on."));
}

TEST_CASE("a container that sends few resets, or to many others as well, is not blamed") {
  CHECK_THAT(host_finding(beside(refused_clients(), {.resets = 50})).summary,
             !ContainsSubstring("container shop"));
  CHECK_THAT(host_finding(beside(refused_clients(), {.resets = 900})).summary,
             !ContainsSubstring("container shop"));
  const auto two = beside(beside(refused_clients(), {.resets = 100}), {.resets = 100, .name = "copy"});
  CHECK_THAT(host_finding(two).summary, !ContainsSubstring("container"));
}

TEST_CASE("refused attempts follow from the listener that closed in the container") {
  auto cause = rule_of("listener-exit");
  cause.evaluate = [](const Window& window, const Thresholds&) {
    if (window.netns().name != "shop") return Verdict::clear();
    return Verdict::found({{.subject = {.kind = SubjectKind::listener, .address = "0.0.0.0", .port = 5000}}});
  };
  const std::array rules{rule_of(kId), cause};
  const auto said = [&](const Container& container) {
    return diagnose(beside(refused_clients(), container).history(), rules, {}).findings;
  };
  const auto one = said({.resets = 100, .before = port_5000()});
  REQUIRE(one.size() == 1);
  CHECK(one[0].id == "listener-exit");
  CHECK(one[0].consequences.back() == kId);
  CHECK(said({.resets = 5, .before = port_5000()}).size() == 2);
}
