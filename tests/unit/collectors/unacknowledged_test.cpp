// SPDX-License-Identifier: Apache-2.0
#include "collectors/connections.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"

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
  constexpr std::uint64_t kPeers = Connections::kSilentPeers + 3;
  for (std::uint64_t peer = 1; peer <= kPeers; ++peer)
    for (std::uint64_t each = 0; each < (peer == kPeers ? 2 : 1); ++each)
      sockets.push_back(sent_again(peer * 10 + each, 4, "10.0.1." + std::to_string(peer)));
  auto connections = look(counter, kStart, sockets);
  REQUIRE(connections.silent_peers.size() == Connections::kSilentPeers);
  CHECK(connections.silent_peers[0].connections == 2);
  CHECK(connections.silent_cut == 3);

  sockets.clear();
  for (std::uint64_t each = 0; each < kMostFollowed + 5; ++each) sockets.push_back(sent_again(each + 1, 4));
  connections = look(counter, kStart + 4s, sockets);
  CHECK(connections.silent_peers.at(0).connections == kMostFollowed);
  CHECK(connections.silent_cut == 5);
}

TEST_CASE("what is known of connections is forgotten with their namespace") {
  ConnectionCounter counter;
  look(counter, kStart, {sent_again(1, 4)});
  counter.forget_sockets();
  CHECK(look(counter, kStart + 9s, {sent_again(1, 5)}).silent_peers.at(0).longest == 0s);
}

TEST_CASE("connections of the same client that it answers on are counted where this host is the server") {
  FakeSource source;
  Snapshot previous{.namespaces = {NetnsView{.name = "host"}}};
  ConnectionsReader reader;
  const auto to_client = [](std::uint64_t cookie, bool silent) {
    auto socket = sent_again(cookie, silent ? 5 : 0, "10.0.1.1");
    socket.source_port = 80;
    socket.destination_port = static_cast<std::uint16_t>(40000 + cookie);
    if (!silent) socket.timer = DiagTimer::none;
    return socket;
  };
  source.messages = {
      to_message({.state = TcpState::listen, .source = address("0.0.0.0"), .source_port = 80, .inode = 1})};
  for (std::uint64_t each = 1; each <= 3; ++each)
    source.messages.push_back(to_message(to_client(each, true)) + activity(100, 90000));
  for (std::uint64_t each = 4; each <= 8; ++each)
    source.messages.push_back(to_message(to_client(each, false)) + activity(100, each == 8 ? 90000 : 500));
  const auto connections = reader({.source = source, .now = kStart, .previous = previous}).value();
  REQUIRE(connections.silent_peers.size() == 1);
  CHECK(connections.silent_peers[0].server);
  CHECK(connections.silent_peers[0].connections == 3);
  CHECK(connections.silent_peers[0].alive == 4);
}
