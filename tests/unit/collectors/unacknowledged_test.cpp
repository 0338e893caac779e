// SPDX-License-Identifier: Apache-2.0
#include "collectors/connections.h"
#include "tests/catch.h"
#include "tests/diag_message.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart = TimePoint(1000s);
constexpr PortRange kEphemeral{32768, 60999};

DiagSocket listener(std::uint16_t port) {
  return {.state = TcpState::listen, .source = address("0.0.0.0"), .source_port = port, .inode = 1};
}

// A connection to port 6379 there.
DiagSocket sent_again(std::uint64_t cookie, std::uint8_t retransmits, const std::string& peer = "10.0.0.2") {
  return {.state = TcpState::established,
          .source = address("10.0.0.1"),
          .destination = address(peer),
          .source_port = static_cast<std::uint16_t>(40000 + cookie % 20000),
          .destination_port = 6379,
          .cookie = cookie,
          .send_queue = 10,
          .timer = DiagTimer::retransmit,
          .retransmits = retransmits,
          .inode = 99};
}

Connections look(ConnectionCounter& counter, TimePoint now, const std::vector<DiagSocket>& sockets) {
  counter.add(listener(80), kEphemeral);
  for (const auto& socket : sockets) counter.add(socket, kEphemeral);
  return counter.finish(now);
}

}  // namespace

TEST_CASE("connections whose timer fired four times without an answer are counted by peer") {
  ConnectionCounter counter;
  const auto connections = look(
      counter, kStart, {sent_again(1, 4), sent_again(2, 9), sent_again(3, 3), sent_again(4, 5, "10.0.0.3")});
  REQUIRE(connections.silent_peers.size() == 2);
  const auto& most = connections.silent_peers[0];
  CHECK(most.address == address("10.0.0.2"));
  CHECK(most.port == 6379);
  CHECK_FALSE(most.server);
  CHECK(most.connections == 2);
  CHECK(most.retransmits == 13);
  CHECK(most.standing == 0);
  CHECK(most.longest == 0s);
  CHECK(connections.silent_peers[1].address == address("10.0.0.3"));
  CHECK(connections.silent_cut == 0);
}

TEST_CASE("how long it lasts is known from the first dump in which the timer had fired") {
  ConnectionCounter counter;
  look(counter, kStart, {sent_again(1, 1)});
  look(counter, kStart + 3s, {sent_again(1, 4), sent_again(2, 4)});
  const auto connections = look(counter, kStart + 6500ms, {sent_again(1, 5), sent_again(2, 5)});
  REQUIRE(connections.silent_peers.size() == 1);
  CHECK(connections.silent_peers[0].connections == 2);
  CHECK(connections.silent_peers[0].standing == 1);
  CHECK(connections.silent_peers[0].longest == 6s);
}

TEST_CASE("an answer sets the count back") {
  ConnectionCounter counter;
  look(counter, kStart, {sent_again(1, 6)});
  look(counter, kStart + 10s, {sent_again(1, 4)});
  const auto connections = look(counter, kStart + 12s, {sent_again(1, 4)});
  REQUIRE(connections.silent_peers.size() == 1);
  CHECK(connections.silent_peers[0].longest == 2s);
  CHECK(connections.silent_peers[0].standing == 0);
}

TEST_CASE("other timers and connections that are being opened or closed are no silent peers") {
  auto probes = sent_again(1, 9), keeps_alive = sent_again(2, 9), opening = sent_again(3, 6),
       closing = sent_again(4, 9), quiet = sent_again(5, 9), half_closed = sent_again(6, 9);
  probes.timer = DiagTimer::window_probe;
  keeps_alive.timer = DiagTimer::keep_alive;
  opening.state = TcpState::syn_sent;
  closing.state = TcpState::fin_wait1;
  quiet.timer = DiagTimer::none;
  half_closed.state = TcpState::close_wait;
  ConnectionCounter counter;
  const auto connections = look(counter, kStart, {probes, keeps_alive, opening, closing, quiet, half_closed});
  REQUIRE(connections.silent_peers.size() == 1);
  CHECK(connections.silent_peers[0].connections == 1);  // half of it is still open
}

TEST_CASE("a client of a service here is told from a service there, and both families of one host are one") {
  auto client = sent_again(1, 4);
  client.source_port = 80;
  client.destination_port = 40001;
  auto mapped = client;
  mapped.cookie = 2;
  mapped.source = address("::ffff:10.0.0.1");
  mapped.destination = address("::ffff:10.0.0.2");
  ConnectionCounter counter;
  const auto connections = look(counter, kStart, {client, mapped, sent_again(3, 4)});
  REQUIRE(connections.silent_peers.size() == 2);
  CHECK(connections.silent_peers[0].server);
  CHECK(connections.silent_peers[0].port == 80);
  CHECK(connections.silent_peers[0].connections == 2);
  CHECK_FALSE(connections.silent_peers[1].server);
}

TEST_CASE(
    "connections to peers beyond those that are listed are counted, and those beyond what is followed") {
  ConnectionCounter counter;
  std::vector<DiagSocket> sockets;
  for (std::uint64_t peer = 1; peer <= 23; ++peer)
    for (std::uint64_t each = 0; each < (peer == 23 ? 2 : 1); ++each)
      sockets.push_back(sent_again(peer * 10 + each, 4, "10.0.1." + std::to_string(peer)));
  auto connections = look(counter, kStart, sockets);
  REQUIRE(connections.silent_peers.size() == Connections::kSilentPeers);
  CHECK(connections.silent_peers[0].connections == 2);
  CHECK(connections.silent_cut == 3);

  sockets.clear();
  for (std::uint64_t each = 0; each < UnacknowledgedFollower::kMost + 5; ++each)
    sockets.push_back(sent_again(each + 1, 4));
  connections = look(counter, kStart + 4s, sockets);
  CHECK(connections.silent_peers.at(0).connections == UnacknowledgedFollower::kMost);
  CHECK(connections.silent_cut == 5);
}

TEST_CASE("what is known of connections is forgotten with their namespace") {
  ConnectionCounter counter;
  look(counter, kStart, {sent_again(1, 4)});
  counter.forget_sockets();
  CHECK(look(counter, kStart + 9s, {sent_again(1, 5)}).silent_peers.at(0).longest == 0s);
}
