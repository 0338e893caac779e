// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/rules/peer_vanished.h"

#include <memory>

#include "core/facts/interfaces.h"
#include "core/facts/netns_list.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kId = "peer-vanished";

SilentPeer redis(std::uint32_t connections = 20) {
  return {.address = address("10.0.0.2"),
          .port = 6379,
          .connections = connections,
          .standing = connections,
          .retransmits = 7 * std::uint64_t{connections},
          .longest = 41s};
}

SilentPeer client(std::uint32_t connections) {
  auto peer = redis(connections);
  peer.server = true;
  peer.port = 80;
  return peer;
}

HistoryBuilder with(std::vector<SilentPeer> peers) {
  HistoryBuilder history;
  history.set(&NetnsView::connections, Connections{.silent_peers = std::move(peers)})
      .sysctl("net.ipv4.tcp_retries2", {15});
  return history;
}

bool clear(std::vector<SilentPeer> peers) {
  return verdict_of(kId, with(std::move(peers)).tick().history()).is_clear();
}

}  // namespace

TEST_CASE("a peer that does not acknowledge any more is named with how many connections and since when") {
  auto history = with({redis()});
  history.set(&NetnsView::interfaces, Interfaces{.addresses = {address("10.0.0.1")}});
  const auto finding = only_finding(kId, history.tick().history());
  CHECK(finding.severity == Severity::warning);
  CHECK(to_string(finding.subject) == "10.0.0.2:6379");
  CHECK(finding.summary ==
        "20 connections to 10.0.0.2:6379 get no acknowledgements any more, the first for at least 41 s: what "
        "was sent on them was sent again 140 times in all without an answer. The peer is gone, or the path "
        "to it is. The kernel keeps trying for about 15 min in all or longer (net.ipv4.tcp_retries2 = 15) "
        "before it tells the programs.");
  REQUIRE(finding.advice.size() == 7);
  CHECK(finding.advice[2].command == "ss -tnpo state established dst 10.0.0.2:6379");
  CHECK(finding.advice[5].command == "sysctl -w net.ipv4.tcp_retries2=8");
}

TEST_CASE("one client with many connections is told by its address") {
  const auto finding = only_finding(kId, with({client(30)}).tick().history());
  CHECK(to_string(finding.subject) == "10.0.0.2");
  CHECK(finding.summary.starts_with(
      "30 connections of 10.0.0.2 to port 80 here get no acknowledgements any more"));
  CHECK(std::ranges::any_of(finding.advice, [](const Advice& advice) {
    return advice.command == "ss -tnpo state established '( sport = :80 )'";
  }));
}

TEST_CASE("a peer that is gone with several services is one finding") {
  auto postgres = redis(4);
  postgres.port = 5432;
  const auto finding = only_finding(kId, with({redis(20), postgres, client(30)}).tick().history());
  CHECK(to_string(finding.subject) == "10.0.0.2");
  CHECK(finding.summary.starts_with("54 connections with 10.0.0.2 get no acknowledgements any more"));
  REQUIRE(finding.advice.size() > 1);
  CHECK(finding.advice[1].command == "ss -tnpo state established dst 10.0.0.2");
}

TEST_CASE("when many peers are gone it is the way to them") {
  std::vector<SilentPeer> peers;
  for (const auto* last : {"2", "3", "4", "5", "6"}) {
    peers.push_back(redis(4));
    peers.back().address = address(std::string("10.0.0.") + last);
  }
  const auto finding = only_finding(kId, with(peers).tick().history());
  CHECK(finding.subject.kind == SubjectKind::netns);
  CHECK(
      finding.summary.starts_with("20 connections to 5 peers, 10.0.0.2:6379, 10.0.0.3:6379, 10.0.0.4:6379, "
                                  "10.0.0.5:6379 among them, get no acknowledgements"));
  CHECK(finding.summary.find("Something is wrong with the path to them.") != std::string::npos);
  peers.pop_back();
  CHECK(verdict_of(kId, with(peers).tick().history()).facts().size() == 4);
}

TEST_CASE("whoever has many peers that are gone hides nobody else's") {
  std::vector<SilentPeer> peers;
  for (const auto* last : {"66", "67", "68", "69", "70"}) {
    peers.push_back(redis(50));
    peers.back().uid = 65534;
    peers.back().address = address(std::string("10.0.0.") + last);
  }
  peers.push_back(redis(5));
  const auto found = verdict_of(kId, with(peers).tick().history()).facts();
  REQUIRE(found.size() == 2);
  CHECK(to_string(found[0].subject) == "10.0.0.2:6379");
  CHECK(found[1].values.at("peers") == "5");
}

TEST_CASE("where others behind the same address answer, some clients are gone and not the peer") {
  auto nat = client(25);
  nat.alive = 600;
  CHECK(clear({nat}));
  nat.alive = 2;
  CHECK_FALSE(clear({nat}));
}

TEST_CASE("single connections, a browser that is gone and what has just begun are no vanished peer") {
  CHECK(clear({}));
  CHECK(clear({redis(2)}));
  CHECK(clear({client(6)}));
  auto just_now = redis();
  just_now.standing = 0;
  just_now.longest = 3s;
  CHECK(clear({just_now}));
}

TEST_CASE("a connection that was never let in at a full queue of this host has no vanished peer") {
  const auto to_this_host = [](std::uint64_t overflows) {
    auto history = with({redis()});
    history.set(&NetnsView::interfaces, Interfaces{.addresses = {address("10.0.0.2")}})
        .set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 6379, 129, 128, 77)}})
        .set(&NetnsView::tcp, TcpCounters{.listen_overflows = 5})
        .tick()
        .set(&NetnsView::tcp, TcpCounters{.listen_overflows = 5 + overflows})
        .tick();
    return verdict_of(kId, history.history()).is_clear();
  };
  CHECK(to_this_host(1));
  CHECK_FALSE(to_this_host(0));
}

TEST_CASE("a peer behind a published port is named as the container that it is") {
  const auto ask = [](std::uint64_t overflows_there) {
    auto peer = redis();
    peer.address = address("10.0.0.1");
    peer.port = 8080;
    auto history = with({peer});
    history.set(&NetnsView::interfaces, Interfaces{.addresses = {address("10.0.0.1")}});
    NetnsView shop{.id = NetnsId(1), .generation = 1, .name = "shop"};
    const auto at = history.now();
    shop.interfaces = {std::make_shared<const Interfaces>(Interfaces{.addresses = {address("172.17.0.2")}}),
                       at};
    shop.listeners = {std::make_shared<const Listeners>(
                          Listeners{.listeners = {sample_listener("0.0.0.0", 5000, 0, 128, 77)}}),
                      at};
    const NetnsList list{
        .namespaces = {{.generation = 1, .anchor_pid = 812, .name = "shop", .kind = NetnsKind::podman}},
        .published = {{address("0.0.0.0"), 8080, address("172.17.0.2"), 5000}}};
    history.snapshot().netns_list = {std::make_shared<const NetnsList>(list), at};
    for (const auto overflows : {std::uint64_t{0}, overflows_there}) {
      shop.tcp = {std::make_shared<const TcpCounters>(TcpCounters{.listen_overflows = overflows}),
                  history.now()};
      history.snapshot().namespaces.resize(1);
      history.snapshot().namespaces.push_back(shop);
      history.tick();
    }
    return diagnose(history.history(), {&rule_of(kId), 1}, {}).findings;
  };
  const auto found = ask(0);
  REQUIRE(found.size() == 1);
  CHECK(to_string(found[0].subject) == "10.0.0.1:8080");
  CHECK(found[0].summary.find("That is this host itself (container shop, port 5000): the way into it is "
                              "closed") != std::string::npos);
  CHECK(found[0].advice[1].command == "nsenter -t 812 -n ip -br address");
  CHECK(ask(5).empty());  // a full queue turned them away
}

TEST_CASE(
    "whether peers are gone cannot be told without the socket table, nor of connections that are not "
    "followed") {
  HistoryBuilder denied;
  denied.deny(&NetnsView::connections).tick();
  CHECK_FALSE(verdict_of(kId, denied.history()).known());
  HistoryBuilder cut;
  cut.set(&NetnsView::connections, Connections{.silent_peers = {redis()}, .silent_cut = 9}).tick();
  const auto verdict = verdict_of(kId, cut.history());
  CHECK(verdict.facts().size() == 1);
  REQUIRE(verdict.unseen());
  CHECK(verdict.unseen()->code == Errc::too_large);
}

TEST_CASE("a setting that is not known is left out") {
  HistoryBuilder history;
  history.set(&NetnsView::connections, Connections{.silent_peers = {redis()}}).tick();
  const auto finding = only_finding(kId, history.history());
  CHECK(finding.summary.ends_with("The kernel keeps trying before it tells the programs."));
  CHECK(std::ranges::none_of(finding.advice, [](const Advice& advice) {
    return advice.command.find("tcp_retries2") != std::string::npos;
  }));
}

TEST_CASE("how long the kernel tries is what its own arithmetic says") {
  CHECK(gives_up_after(15) == 924s);
  CHECK(gives_up_after(8) == 102s);
  CHECK(gives_up_after(3) == 3s);
  CHECK(gives_up_after(0) == 0s);
  CHECK(gives_up_after(-1) == 0s);
  CHECK(gives_up_after(std::numeric_limits<std::int64_t>::max()) == gives_up_after(255));
}

namespace {

// Whether a path is lossy on which a fifth is sent again each second for half a minute, with so many
// overflows by each second and these peers.
template <class OverflowsAt, class PeersAt>
bool lossy(OverflowsAt overflows_at, PeersAt peers_at) {
  HistoryBuilder history;
  for (std::uint64_t second = 0; second <= 30; ++second) {
    TcpCounters tcp;
    tcp.retrans_segs = 5 * second;
    tcp.out_segs = 20 * second;
    tcp.syn_retrans = 0;
    tcp.listen_overflows = overflows_at(second);
    history.set(&NetnsView::tcp, tcp)
        .set(&NetnsView::connections, Connections{.silent_peers = peers_at(second)})
        .tick();
  }
  return !verdict_of("path-lossy", history.history()).facts().empty();
}

std::uint64_t no_overflow(std::uint64_t) { return 0; }
std::vector<SilentPeer> no_peer(std::uint64_t) { return {}; }

}  // namespace

TEST_CASE("what is sent again to a peer that is gone is no lossy path") {
  const auto lossy_beside = [](const std::vector<SilentPeer>& peers, std::uint64_t a_second = 5) {
    return lossy(no_overflow, [&](std::uint64_t second) {
      auto then = peers;
      for (auto& peer : then) peer.retransmits += a_second * second;
      return then;
    });
  };
  CHECK(lossy_beside({}));
  CHECK_FALSE(lossy_beside({redis()}));
  CHECK(lossy_beside({redis(2)}));
  CHECK(lossy_beside({redis()}, 0));  // what was sent before the window
}

TEST_CASE("a lossy path is told beside a queue that overflows now and then") {
  const auto lossy_with = [](std::uint64_t overflows) {
    return lossy([&](std::uint64_t second) { return overflows * second / 30; }, no_peer);
  };
  CHECK(lossy_with(2));
  CHECK_FALSE(lossy_with(150));
}

TEST_CASE("what is sent again to a container whose queue overflows is no lossy path") {
  const auto lossy_beside = [](std::uint64_t overflows, const char* asked, std::uint64_t lasts = 100) {
    HistoryBuilder history;
    for (std::uint64_t second = 0; second <= 30; ++second) {
      TcpCounters tcp, there;
      tcp.retrans_segs = 5 * second;
      tcp.out_segs = 20 * second;
      tcp.syn_retrans = 0;
      tcp.listen_overflows = 0;
      there.listen_overflows = overflows * second / 30;
      history.set(&NetnsView::tcp, tcp)
          .set(&NetnsView::connections,
               Connections{.destinations = {{address("172.17.0.1"), address(asked), 5000, 20}}});
      NetnsView shop{.id = NetnsId(1), .generation = 1, .name = "shop"};
      shop.tcp = {std::make_shared<const TcpCounters>(there), history.now()};
      shop.interfaces = {std::make_shared<const Interfaces>(Interfaces{.addresses = {address("172.17.0.2")}}),
                         history.now()};
      history.snapshot().namespaces.resize(1);
      if (second < lasts) history.snapshot().namespaces.push_back(shop);
      history.tick();
    }
    return !verdict_of("path-lossy", history.history()).facts().empty();
  };
  CHECK_FALSE(lossy_beside(150, "172.17.0.2"));
  CHECK_FALSE(lossy_beside(180, "172.17.0.2", 28));  // it has just ended
  CHECK(lossy_beside(2, "172.17.0.2"));
  CHECK(lossy_beside(150, "172.17.0.3"));  // another one's connections overflow it
}

TEST_CASE("when a peer is back, what was sent again to it is no lossy path either") {
  CHECK_FALSE(lossy(no_overflow, [](std::uint64_t second) {
    return second > 0 && second < 20 ? std::vector{redis()} : std::vector<SilentPeer>();
  }));
}
