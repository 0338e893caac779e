// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>

#include "core/facts/connections.h"
#include "core/facts/interfaces.h"
#include "core/facts/netns_list.h"
#include "core/facts/processes.h"
#include "core/facts/tcp_counters.h"
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

bool has_command(const Finding& finding, std::string_view command) {
  return std::ranges::any_of(finding.advice, [&](const Advice& advice) { return advice.command == command; });
}

bool says(const Finding& finding, std::string_view text) {
  return finding.summary.find(text) != std::string::npos;
}

Interfaces interfaces(std::vector<IpAddress> addresses, std::vector<ReversePathFilter> filters = {}) {
  std::ranges::sort(addresses);
  return {.addresses = std::move(addresses), .filters = std::move(filters)};
}

Listeners with_queue(const char* at, std::uint16_t port, std::uint32_t length) {
  return {.listeners = {sample_listener(at, port, length, 128, 77)}};
}

Processes owned_by_gunicorn() {
  return {.processes = {{.pid = 812, .comm = "gunicorn", .listener_inodes = {77}}}, .total = 9};
}

// Answers that this host drops: counted from the second second on.
HistoryBuilder with_filtered(std::uint64_t retransmitted, std::uint64_t filtered) {
  HistoryBuilder history;
  const auto connections = waiting({to("10.0.0.2", 5432, 20)});
  auto tcp = counters(7);
  tcp.ip_reverse_path_filter = 1000;
  history.set(&NetnsView::connections, connections).set(&NetnsView::tcp, tcp).tick(4s);
  tcp.syn_retrans = 7 + retransmitted;
  tcp.ip_reverse_path_filter = 1000 + filtered;
  history.set(&NetnsView::tcp, tcp).set(&NetnsView::connections, connections).tick(4s);
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
        "What drops them is not known: the far end, something on the path, or a queue of this host.");
  REQUIRE(finding.evidence.size() == 2);
  CHECK(finding.evidence[1] == Evidence{"TCPSynRetrans", 60, "SYNs", 12s});
  CHECK(finding.advice.front().command ==
        "tcpdump -nn -i any -c 20 'icmp or icmp6 or (host 10.0.0.2 and tcp port 5432)'");
  CHECK(finding.not_helping.back().find("now 6") != std::string::npos);
}

TEST_CASE("an IPv6 destination is written as ss and a person write it") {
  const auto finding = only_finding(kId, dumps(waiting({to("fd00::2", 443, 20, "fd00::1")}), 60).history());
  CHECK(has_command(finding, "ss -tnp state syn-sent dst '[fd00::2]:443'"));
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
  CHECK(finding.advice.front().command == "tcpdump -nn -i any -c 20 'icmp or icmp6'");
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
  CHECK(clear(history.set(&NetnsView::listeners, Listeners{}).tick()));  // it ended a moment ago
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

TEST_CASE(
    "only of an address that is none of this namespace's is the far end blamed, and containers are not ruled "
    "out") {
  auto history = dumps(waiting({to("10.0.0.2", 5432, 20)}), 60);
  history.set(&NetnsView::interfaces, interfaces({address("10.0.0.1"), address("127.0.0.1")})).tick();
  const auto finding = only_finding(kId, history.history());
  CHECK(says(finding,
             "This network namespace has no such address: the far end drops them, or something on the path "
             "does, or another namespace of this host (a container) that has the address."));
  CHECK(has_command(finding, "nc -vz -w 3 10.0.0.2 5432"));
  for (const auto& each : finding.not_helping) CHECK(each.find("on this host") == std::string::npos);
}

TEST_CASE("of addresses that were cut nothing is ruled out") {
  auto history = dumps(waiting({to("10.0.0.2", 5432, 20)}), 60);
  auto cut = interfaces({address("10.0.0.1")});
  cut.addresses_cut = 1;
  history.set(&NetnsView::interfaces, cut).tick();
  CHECK(says(only_finding(kId, history.history()), "What drops them is not known"));
}

TEST_CASE("a destination that is another address of this host is said to be this host") {
  auto history = dumps(waiting({to("10.0.0.7", 5432, 20)}), 60);
  history.set(&NetnsView::interfaces, interfaces({address("10.0.0.1"), address("10.0.0.7")})).tick();
  const auto finding = only_finding(kId, history.history());
  CHECK(says(finding,
             "That is this host itself: its firewall drops them, or a queue was full when they arrived."));
  CHECK(has_command(finding, "ss -ltn '( sport = :5432 )'"));
  CHECK_FALSE(has_command(finding, "nc -vz -w 3 10.0.0.7 5432"));
  auto loopback = dumps(waiting({to("127.0.0.2", 5432, 20, "127.0.0.1")}), 60);
  CHECK(says(only_finding(kId, loopback.history()), "That is this host itself"));
  auto bound = dumps(waiting({to("10.0.0.7", 5432, 20)}), 60);
  bound.set(&NetnsView::listeners, with_queue("10.0.0.7", 80, 0)).tick();
  CHECK(says(only_finding(kId, bound.history()), "That is this host itself"));
}

TEST_CASE("SYNs to a listener that was full and has ended are not blamed on the path") {
  auto history = dumps(waiting({}), 0);
  history.set(&Snapshot::processes, owned_by_gunicorn())
      .set(&NetnsView::listeners, with_queue("0.0.0.0", 8080, 129))
      .tick(2s);
  const auto silent = waiting({to("127.0.0.1", 8080, 20, "127.0.0.1")});
  history.set(&NetnsView::listeners, Listeners{})
      .set(&NetnsView::tcp, counters(90))
      .set(&NetnsView::connections, silent);
  for (int dump = 0; dump < 3; ++dump) history.set(&NetnsView::connections, silent).tick(4s);
  CHECK(says(only_finding(kId, history.history()),
             "That is this host itself: the accept queue of its listener 0.0.0.0:8080 (gunicorn[812]) was "
             "full (129 of 128), and the listener is gone now."));
}

namespace {

// The host's clients of a container, whose queue holds that many connections; it was found as process 812.
HistoryBuilder beside_a_container(std::uint32_t queue_length,
                                  const Connections& clients = waiting({to("172.17.0.2", 5000, 20)}),
                                  std::vector<PublishedPort> published = {}) {
  auto history = dumps(clients, 60);
  history.set(&NetnsView::interfaces, interfaces({address("172.17.0.1")}));
  NetnsView container{.id = NetnsId(1), .generation = 1, .name = "shop"};
  container.interfaces = {std::make_shared<const Interfaces>(interfaces({address("172.17.0.2")})),
                          history.now()};
  const auto listeners = std::make_shared<const Listeners>(with_queue("0.0.0.0", 5000, queue_length));
  HistoryBuilder both;
  for (const auto& snapshot : history.history().snapshots()) {
    both.snapshot() = snapshot;
    both.set(&NetnsView::interfaces, interfaces({address("10.0.0.1"), address("172.17.0.1")}));
    container.listeners = {listeners, snapshot.at};
    both.snapshot().namespaces.push_back(container);
    both.snapshot().netns_list = {
        std::make_shared<const NetnsList>(NetnsList{
            .namespaces = {{.generation = 1, .anchor_pid = 812, .name = "shop", .kind = NetnsKind::docker}},
            .published = published}),
        snapshot.at};
    both.tick();
  }
  return both;
}

}  // namespace

TEST_CASE("a full queue in another namespace of this host is named, not the path") {
  const auto both = beside_a_container(129);
  const auto facts = verdict_of(kId, both.history()).facts();
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].values.at("own_place") == "container shop");
  CHECK(facts[0].values.at("own_port") == "5000");
  CHECK(facts[0].values.at("own_listener") == "0.0.0.0:5000");
  CHECK(facts[0].values.at("own_length") == "129");
  CHECK_FALSE(facts[0].values.contains("elsewhere"));
  CHECK(facts[0].served_by->subject.port == 5000);
  CHECK(has_command(diagnose(both.history(), {&rule_of(kId), 1}, {}).findings.at(0),
                    "nsenter -t 812 -n ss -ltn '( sport = :5000 )'"));
}

TEST_CASE("clients without an answer follow from what is found about the queue in the container") {
  const auto full = beside_a_container(129);
  const auto said = [](const Rule& rule, const HistoryBuilder& history) {
    const std::array rules{rule_of(kId), rule};
    return diagnose(history.history(), rules, {}).findings;
  };
  auto cause = rule_of("accept-queue-app-stalled");
  cause.evaluate = [](const Window& window, const Thresholds&) {
    if (window.netns().name != "shop") return Verdict::clear();
    return Verdict::found({{.subject = {.kind = SubjectKind::listener, .address = "0.0.0.0", .port = 5000}}});
  };
  const auto one = said(cause, full);
  REQUIRE(one.size() == 1);
  CHECK(one[0].id == "accept-queue-app-stalled");
  CHECK(one[0].consequences.back() == kId);
  CHECK(said(cause, beside_a_container(0)).size() == 2);  // its queue is not why
  cause.evaluate = [](const Window& window, const Thresholds&) {
    if (window.netns().name != "shop") return Verdict::clear();
    return Verdict::found({{.subject = {.kind = SubjectKind::listener, .address = "0.0.0.0", .port = 80}}});
  };
  CHECK(said(cause, full).size() == 2);
}

TEST_CASE("a queue in a container that has become full a moment ago is looked at first") {
  auto history = beside_a_container(129);
  history.snapshot() = history.history().snapshots().back();
  auto& container = history.snapshot().namespaces.back();
  for (const auto length : {0U, 129U, 129U}) {
    history.snapshot().at += std::chrono::seconds(1);
    container.listeners = {std::make_shared<const Listeners>(with_queue("0.0.0.0", 5000, length)),
                           history.snapshot().at};
    history.tick(std::chrono::seconds(0));
  }
  CHECK(verdict_of(kId, history.history()).is_clear());
}

TEST_CASE("clients that have not asked again since the queue in the container has room are no finding") {
  const auto then = [](std::uint32_t length, int seconds) {
    auto history = beside_a_container(129);
    history.snapshot() = history.history().snapshots().back();
    for (int second = 0; second < seconds; ++second) {
      history.snapshot().at += std::chrono::seconds(1);
      auto tcp = counters(static_cast<std::uint64_t>(70 + second));
      history.set(&NetnsView::tcp, tcp);
      history.snapshot().namespaces.back().listeners = {
          std::make_shared<const Listeners>(with_queue("0.0.0.0", 5000, length)), history.snapshot().at};
      if (second % 4 == 0) history.set(&NetnsView::connections, waiting({to("172.17.0.2", 5000, 20)}));
      history.tick(0s);
    }
    return verdict_of(kId, history.history());
  };
  CHECK(then(0, 12).is_clear());
  CHECK_FALSE(then(129, 12).is_clear());
  CHECK_FALSE(then(0, 90).is_clear());  // it is something else
}

TEST_CASE("clients of a published port are clients of the container") {
  const PublishedPort everywhere{address("0.0.0.0"), 8080, address("172.17.0.2"), 5000};
  const auto asked_at = [&](const char* destination, const PublishedPort& port) {
    return beside_a_container(129, waiting({to(destination, 8080, 20, "172.17.0.1")}), {port});
  };
  const auto both = asked_at("127.0.0.1", everywhere);
  const auto facts = verdict_of(kId, both.history()).facts();
  REQUIRE(facts.size() == 1);
  CHECK(to_string(facts[0].subject) == "127.0.0.1:8080");
  REQUIRE(facts[0].served_by);
  CHECK(facts[0].served_by->netns == "shop");
  CHECK(facts[0].served_by->subject.port == 5000);
  const auto finding = diagnose(both.history(), {&rule_of(kId), 1}, {}).findings.at(0);
  CHECK(says(finding,
             "That is this host itself (container shop, port 5000): the accept queue of its listener "
             "0.0.0.0:5000 was full (129 of 128)."));
  CHECK(has_command(finding, "nsenter -t 812 -n ss -ltn '( sport = :5000 )'"));
  auto one_address = everywhere;
  one_address.host_address = address("172.17.0.1");
  CHECK(verdict_of(kId, asked_at("172.17.0.1", one_address).history()).facts().at(0).served_by);
  CHECK_FALSE(verdict_of(kId, asked_at("127.0.0.1", one_address).history()).facts().at(0).served_by);
  auto other_port = everywhere;
  other_port.host_port = 8081;
  CHECK_FALSE(verdict_of(kId, asked_at("127.0.0.1", other_port).history()).facts().at(0).served_by);
  auto unknown = everywhere;
  unknown.container_address = address("172.17.0.9");
  CHECK_FALSE(verdict_of(kId, asked_at("127.0.0.1", unknown).history()).facts().at(0).served_by);
  CHECK_FALSE(verdict_of(kId, asked_at("10.0.0.2", everywhere).history()).facts().at(0).served_by);
}

TEST_CASE("a proxy of the host's that drops nothing itself does not hide the container behind it") {
  const PublishedPort port{address("0.0.0.0"), 8080, address("172.17.0.2"), 5000};
  auto both = beside_a_container(129, waiting({to("172.17.0.1", 8080, 20, "172.17.0.1")}), {port});
  const auto with_proxy = [&](std::uint32_t length) {
    auto history = both;
    history.snapshot() = history.history().snapshots().back();
    history.snapshot().at += std::chrono::seconds(1);
    history.set(&NetnsView::tcp, counters(70, 0, 9))
        .set(&NetnsView::listeners, with_queue("0.0.0.0", 8080, length))
        .tick();
    return verdict_of(kId, history.history());
  };
  REQUIRE(with_proxy(0).facts().size() == 1);
  CHECK(with_proxy(0).facts()[0].served_by->netns == "shop");
  CHECK(with_proxy(129).is_clear());  // its own queue is full
}

TEST_CASE("of an address that several namespaces have no one is named") {
  auto history = beside_a_container(129);
  auto twin = history.history().snapshots().back().namespaces.back();
  twin.id = NetnsId(2);
  twin.name = "copy";
  history.snapshot() = history.history().snapshots().back();
  history.snapshot().namespaces.push_back(twin);
  history.snapshot().at += std::chrono::seconds(1);
  history.tick();
  const auto facts = verdict_of(kId, history.history()).facts();
  REQUIRE(facts.size() == 1);
  CHECK_FALSE(facts[0].values.contains("own_place"));
}

TEST_CASE("a port that podman holds on the host is that of the container whose conmon holds it") {
  // conmon is process 700; the container listens on one port, or on more.
  const auto names_shop = [](std::int32_t holder, std::vector<std::uint16_t> more, const Destination& asked) {
    auto history = beside_a_container(129, waiting({asked}));
    history.snapshot() = history.history().snapshots().back();
    history.snapshot().at += 1s;
    auto held = sample_listener("0.0.0.0", 80, 0, 128, 90);
    history.set(&NetnsView::listeners, Listeners{.listeners = {held}});
    history.set(&Snapshot::processes,
                Processes{.processes = {{.pid = holder, .comm = "conmon", .listener_inodes = {90}}}});
    auto list = *history.snapshot().netns_list.get();
    list.namespaces[0].conmon_pid = 700;
    history.set(&Snapshot::netns_list, list);
    auto& shop = history.snapshot().namespaces.back();
    auto inside = *shop.listeners.get();
    for (const auto port : more) inside.listeners.push_back(sample_listener("0.0.0.0", port, 0, 128, 0));
    inside.listeners.push_back(sample_listener("127.0.0.1", 9000, 0, 128, 0));
    shop.listeners = {std::make_shared<const Listeners>(inside), history.now()};
    history.tick();
    const auto facts = verdict_of(kId, history.history()).facts();
    return facts.size() == 1 && facts[0].values.contains("own_place") &&
           facts[0].values.at("own_port") == "5000";
  };
  const auto port_80 = to("172.17.0.1", 80, 20);
  CHECK(names_shop(700, {}, port_80));
  CHECK(names_shop(700, {}, to("127.0.0.1", 80, 20)));
  CHECK_FALSE(names_shop(701, {}, port_80));
  CHECK_FALSE(names_shop(700, {6000}, port_80));  // one of both, and nobody knows which
  CHECK_FALSE(names_shop(700, {80}, port_80));    // rather that one
  CHECK_FALSE(names_shop(700, {}, to("10.0.0.2", 80, 20)));
}

TEST_CASE("nobody is blamed while a container that has ended may be starting again") {
  const auto after = [](std::chrono::seconds gone) {
    auto history = beside_a_container(129);
    history.snapshot() = history.history().snapshots().back();
    history.snapshot().namespaces.pop_back();
    history.snapshot().netns_list = {};
    for (auto second = 0s; second < gone; ++second) {
      history.snapshot().at += 1s;
      history.set(&NetnsView::connections, waiting({to("172.17.0.2", 5000, 20)}));
      history.tick(0s);
    }
    return verdict_of(kId, history.history());
  };
  CHECK(after(2s).is_clear());
  CHECK(after(19s).is_clear());
  const auto facts = after(25s).facts();
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].values.contains("elsewhere"));
}

TEST_CASE("answers that this host's reverse path filter drops are not blamed on the far end") {
  auto history = with_filtered(60, 55);
  history
      .set(&NetnsView::interfaces,
           interfaces({address("10.0.0.1")}, {{"all", 0}, {"lo", 1}, {"eth0", 0}, {"eth1", 1}}))
      .tick();
  const auto finding = only_finding(kId, history.history());
  CHECK(says(
      finding,
      "This host's own reverse path filter dropped 55 packets in 8 s (IPReversePathFilter); it is strict on "
      "eth1: most likely the answers, which come in by a different interface from the one the SYNs leave "
      "by."));
  CHECK_FALSE(says(finding, "far end"));
  CHECK(has_command(finding, "sysctl -w net/ipv4/conf/eth1/rp_filter=2"));
  CHECK(std::ranges::find(finding.evidence, Evidence{"rp_filter in effect on eth1", 1, "", {}}) !=
        finding.evidence.end());
}

TEST_CASE("the larger of an interface's filter and that of all counts, and no interface is guessed") {
  auto history = with_filtered(60, 55);
  CHECK(says(only_finding(kId, history.history()), "(IPReversePathFilter): most likely the answers"));
  history
      .set(&NetnsView::interfaces,
           interfaces({address("10.0.0.1")}, {{"all", 1}, {"eth0", 0}, {"eth1", 2}, {"eth2", 1}}))
      .tick();
  const auto finding = only_finding(kId, history.history());
  CHECK(says(finding, "strict on eth0, eth2:"));
  for (const auto& advice : finding.advice) CHECK(advice.command.find("rp_filter") == std::string::npos);
}

TEST_CASE("a few packets that the reverse path filter drops do not explain SYNs without an answer") {
  CHECK_FALSE(says(only_finding(kId, with_filtered(60, 20).history()), "reverse path filter"));
}
