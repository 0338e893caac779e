// SPDX-License-Identifier: Apache-2.0
#include "collectors/connections.h"

#include "core/facts/listeners.h"
#include "core/facts/processes.h"
#include "core/facts/socket_usage.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart = TimePoint(1000s);
constexpr PortRange kEphemeral{32768, 60999};

DiagSocket listener(const std::string& at, std::uint16_t port, std::uint32_t interface = 0) {
  return {.state = TcpState::listen,
          .source = address(at),
          .source_port = port,
          .interface = interface,
          .inode = 1};
}

// A connection from `local` to `remote`, held by a process.
DiagSocket connection(TcpState state, std::uint16_t local, std::uint16_t remote, std::uint64_t cookie = 0) {
  return {.state = state,
          .source = address("10.0.0.1"),
          .destination = address("10.0.0.2"),
          .source_port = local,
          .destination_port = remote,
          .cookie = cookie,
          .inode = 99};
}

DiagSocket half_open(const std::string& at, std::uint16_t port, std::uint32_t interface = 0) {
  return {.state = TcpState::syn_recv, .source = address(at), .source_port = port, .interface = interface};
}

void add(ConnectionCounter& counter, const std::vector<DiagSocket>& sockets) {
  for (const auto& socket : sockets) counter.add(socket, kEphemeral);
}

Connections count(const std::vector<DiagSocket>& sockets) {
  ConnectionCounter counter;
  add(counter, sockets);
  return counter.finish(kStart);
}

// "address port: count" of every listener.
std::vector<std::string> half_open_of(const Connections& connections) {
  std::vector<std::string> lines;
  for (const auto& each : connections.half_open)
    lines.push_back(address_label(each.listener) + " " + std::to_string(each.listener.port) + ": " +
                    std::to_string(each.count));
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a connection belongs to the server side when its local port has a listener") {
  const auto connections =
      count({listener("0.0.0.0", 80), connection(TcpState::established, 80, 40000),
             connection(TcpState::time_wait, 80, 40001), connection(TcpState::established, 40002, 80),
             connection(TcpState::syn_sent, 40003, 443)});
  REQUIRE(connections.server.size() == 1);
  CHECK(connections.server[0].port == 80);
  CHECK(connections.server[0].count(TcpState::listen) == 1);
  CHECK(connections.server[0].count(TcpState::established) == 1);
  CHECK(connections.server[0].count(TcpState::time_wait) == 1);
  CHECK(connections.server[0].total() == 3);
  REQUIRE(connections.client.size() == 2);
  CHECK(connections.client[0].port == 80);
  CHECK(connections.client[0].count(TcpState::established) == 1);
  CHECK(connections.client[1].port == 443);
  CHECK(connections.client[1].count(TcpState::syn_sent) == 1);
  CHECK(connections.sockets == 5);
  CHECK(connections.client_other.total() == 0);
}

TEST_CASE("what a listener that is gone has left behind belongs to the server side") {
  const auto connections =
      count({connection(TcpState::time_wait, 80, 40000), connection(TcpState::established, 3333, 5555)});
  REQUIRE(connections.server.size() == 1);
  CHECK(connections.server[0].port == 80);
  REQUIRE(connections.client.size() == 1);
  CHECK(connections.client[0].port == 5555);
}

TEST_CASE("every state is counted under its own name") {
  std::vector<DiagSocket> sockets = {listener("0.0.0.0", 80)};
  for (std::size_t state = 1; state < kTcpStates; ++state)
    if (static_cast<TcpState>(state) != TcpState::listen)
      sockets.push_back(connection(static_cast<TcpState>(state), 80, static_cast<std::uint16_t>(state)));
  const auto connections = count(sockets);
  REQUIRE(connections.server.size() == 1);
  for (std::size_t state = 1; state < kTcpStates; ++state) CHECK(connections.server[0].by_state[state] == 1);
  CHECK(connections.server[0].by_state[0] == 0);
}

TEST_CASE("of the client side the 20 busiest remote ports are kept, the rest is one sum") {
  std::vector<DiagSocket> sockets;
  for (std::uint16_t port = 1; port <= 25; ++port)
    for (std::uint16_t each = 0; each < port; ++each)
      sockets.push_back(connection(TcpState::established, static_cast<std::uint16_t>(40000 + each), port));
  const auto connections = count(sockets);
  REQUIRE(connections.client.size() == 20);
  CHECK(connections.client.front().port == 6);
  CHECK(connections.client.back().port == 25);
  CHECK(connections.client_other.port == 0);
  CHECK(connections.client_other.count(TcpState::established) == 1 + 2 + 3 + 4 + 5);
}

TEST_CASE("of FIN_WAIT2 connections those that no process holds are told apart, on both sides") {
  auto orphan = connection(TcpState::fin_wait2, 80, 40000),
       orphaned_client = connection(TcpState::fin_wait2, 40001, 443);
  orphan.inode = orphaned_client.inode = 0;
  const auto connections =
      count({listener("0.0.0.0", 80), orphan, orphan, connection(TcpState::fin_wait2, 80, 40002),
             orphaned_client, connection(TcpState::fin_wait2, 40003, 443)});
  CHECK(connections.server.at(0).count(TcpState::fin_wait2) == 3);
  CHECK(connections.server.at(0).fin_wait2_orphaned == 2);
  CHECK(connections.client.at(0).count(TcpState::fin_wait2) == 2);
  CHECK(connections.client.at(0).fin_wait2_orphaned == 1);
}

TEST_CASE("the rest of the client side has the FIN_WAIT2 connections that no process holds") {
  std::vector<DiagSocket> sockets;
  for (std::uint16_t port = 1; port <= 21; ++port)
    sockets.push_back(connection(TcpState::fin_wait2, 40000, port));
  sockets.back().inode = 0;
  CHECK(count(sockets).client_other.fin_wait2_orphaned == 1);
}

TEST_CASE("ports 0 and 65535 are ports like any other") {
  const auto connections =
      count({listener("0.0.0.0", 65535), connection(TcpState::established, 65535, 0),
             connection(TcpState::established, 0, 65535), connection(TcpState::close, 0, 0)});
  REQUIRE(connections.server.size() == 1);
  CHECK(connections.server[0].port == 65535);
  CHECK(connections.server[0].count(TcpState::established) == 1);
  REQUIRE(connections.client.size() == 2);
  CHECK(connections.client[0].port == 0);
  CHECK(connections.client[0].count(TcpState::close) == 1);
  CHECK(connections.client[1].port == 65535);
}

TEST_CASE("every port may have a row, on both sides, and the busiest are kept") {
  std::vector<DiagSocket> sockets;
  for (std::uint32_t port = 0; port < 65536; ++port)
    sockets.push_back(listener("0.0.0.0", static_cast<std::uint16_t>(port)));
  sockets.push_back(connection(TcpState::established, 65535, 40000));
  const auto servers = count(sockets);
  CHECK(servers.server.size() == Connections::kServerPorts);
  CHECK(servers.server.back().port == 65535);
  CHECK(servers.server_cut == 65536 - Connections::kServerPorts);
  sockets.pop_back();
  for (auto& socket : sockets) socket = connection(TcpState::established, 40000, socket.source_port);
  const auto connections = count(sockets);
  CHECK(connections.server.empty());
  CHECK(connections.client.size() == 20);
  CHECK(connections.client_other.total() == 65536 - 20);
}

TEST_CASE("connections that no accept() has taken are those of a listener's port without an inode") {
  auto waiting = connection(TcpState::established, 80, 40000);
  auto closed_by_peer = connection(TcpState::close_wait, 80, 40001);
  auto last_ack = connection(TcpState::last_ack, 80, 40002);
  auto orphaned_client = connection(TcpState::established, 40003, 443);
  waiting.inode = closed_by_peer.inode = last_ack.inode = orphaned_client.inode = 0;
  const auto connections =
      count({listener("0.0.0.0", 80), waiting, closed_by_peer, last_ack, orphaned_client,
             connection(TcpState::established, 80, 40004), connection(TcpState::close_wait, 80, 40005, 5)});
  CHECK(connections.server.at(0).unaccepted == 2);
  CHECK(connections.client.at(0).unaccepted == 0);
  REQUIRE(connections.close_wait.size() == 1);  // the one that a process holds
  CHECK(connections.close_wait[0].cookie == 5);
}

TEST_CASE("an address is told when at least half of the half-open connections are from it") {
  const auto from = [](const std::vector<std::string>& peers) {
    std::vector<DiagSocket> sockets = {listener("0.0.0.0", 80)};
    for (const auto& peer : peers) {
      auto socket = half_open("10.0.0.1", 80);
      socket.destination = address(peer);
      sockets.push_back(socket);
    }
    return count(sockets).half_open.at(0).mostly_from;
  };
  CHECK(from({"10.0.0.7", "10.0.0.7", "10.0.0.8", "10.0.0.7", "10.0.0.7"}) == address("10.0.0.7"));
  CHECK(from({"10.0.0.7"}) == address("10.0.0.7"));
  CHECK_FALSE(from({"10.0.0.7", "10.0.0.8", "10.0.0.9", "10.0.0.7", "10.0.0.10", "10.0.0.11"}));
  CHECK_FALSE(from({}));
}

TEST_CASE("the ports of a destination are told by what holds them") {
  auto orphan = connection(TcpState::fin_wait2, 40003, 443);
  orphan.inode = 0;
  const auto to =
      count({connection(TcpState::established, 40000, 443), connection(TcpState::time_wait, 40001, 443),
             connection(TcpState::fin_wait2, 40002, 443), orphan,
             connection(TcpState::close_wait, 40004, 443)})
          .destinations.at(0);
  CHECK(to.local_ports == 5);
  CHECK(to.time_wait == 1);
  CHECK(to.fin_wait2_orphaned == 1);
  CHECK(to.close_wait == 1);
}

TEST_CASE("a half-open connection counts for the exact address before the wildcard") {
  const auto connections =
      count({listener("0.0.0.0", 80), listener("10.0.0.1", 80), listener("0.0.0.0", 81),
             half_open("10.0.0.1", 80), half_open("10.0.0.1", 80), half_open("10.0.0.2", 80)});
  CHECK(half_open_of(connections) == Lines{"0.0.0.0 80: 1", "0.0.0.0 81: 0", "10.0.0.1 80: 2"});
  CHECK(connections.server.at(0).count(TcpState::syn_recv) == 3);
}

TEST_CASE("a half-open connection over IPv4 to a dual-stack listener is shown with a mapped address") {
  const auto connections =
      count({listener("::", 80), half_open("::ffff:10.0.0.1", 80), half_open("2001:db8::1", 80)});
  CHECK(half_open_of(connections) == Lines{":: 80: 2"});
  const auto both = count({listener("0.0.0.0", 80), listener("::", 80), listener("::ffff:10.0.0.9", 80),
                           half_open("10.0.0.1", 80), half_open("::ffff:10.0.0.9", 80),
                           half_open("2001:db8::1", 80), half_open("2001:db8::1", 80)});
  CHECK(half_open_of(both) == Lines{"0.0.0.0 80: 1", ":: 80: 2", "::ffff:10.0.0.9 80: 1"});
}

TEST_CASE("a half-open connection counts for the listener on its device before the one on none") {
  const auto connections =
      count({listener("0.0.0.0", 80), listener("0.0.0.0", 80, 2), listener("0.0.0.0", 80, 3),
             half_open("10.0.0.1", 80, 2), half_open("10.0.0.1", 80, 2), half_open("10.0.0.1", 80)});
  CHECK(half_open_of(connections) == Lines{"0.0.0.0 80: 1", "0.0.0.0%2 80: 2", "0.0.0.0%3 80: 0"});
  // A link-local peer has its device though the listener has none.
  CHECK(half_open_of(count({listener("::", 80), half_open("fe80::1", 80, 7)})) == Lines{":: 80: 1"});
}

TEST_CASE("a half-open connection whose listener is gone belongs to none") {
  const auto connections = count(
      {listener("10.0.0.9", 80), half_open("10.0.0.1", 80), half_open("::1", 80), half_open("10.0.0.9", 81)});
  CHECK(half_open_of(connections) == Lines{"10.0.0.9 80: 0"});
}

TEST_CASE("the members of a reuseport group are one listener of half-open connections") {
  const auto connections =
      count({listener("0.0.0.0", 80), listener("0.0.0.0", 80), half_open("10.0.0.1", 80)});
  CHECK(half_open_of(connections) == Lines{"0.0.0.0 80: 1"});
  CHECK(connections.server.at(0).count(TcpState::listen) == 2);
}

TEST_CASE("a CLOSE_WAIT socket is as old as the first dump that showed it so") {
  ConnectionCounter counter;
  add(counter, {listener("0.0.0.0", 80), connection(TcpState::close_wait, 80, 40000, 1)});
  counter.finish(kStart);
  add(counter, {listener("0.0.0.0", 80), connection(TcpState::close_wait, 40001, 443, 2),
                connection(TcpState::close_wait, 80, 40000, 1)});
  const auto connections = counter.finish(kStart + 5s);
  REQUIRE(connections.close_wait.size() == 2);
  CHECK(connections.close_wait[0].cookie == 1);
  CHECK(connections.close_wait[0].first_seen == kStart);
  CHECK(connections.close_wait[0].server);
  CHECK(connections.close_wait[0].port == 80);
  CHECK(connections.close_wait[0].inode == 99);
  CHECK(connections.close_wait[1].cookie == 2);
  CHECK(connections.close_wait[1].first_seen == kStart + 5s);
  CHECK_FALSE(connections.close_wait[1].server);
  CHECK(connections.close_wait[1].port == 443);
}

TEST_CASE("a CLOSE_WAIT socket that was closed is forgotten") {
  ConnectionCounter counter;
  add(counter, {connection(TcpState::close_wait, 40000, 443, 1)});
  counter.finish(kStart);
  CHECK(counter.finish(kStart + 5s).close_wait.empty());
  add(counter, {connection(TcpState::close_wait, 40000, 443, 1)});
  CHECK(counter.finish(kStart + 10s).close_wait.at(0).first_seen == kStart + 10s);
}

TEST_CASE("a CLOSE_WAIT socket that a dump shows twice is one") {
  const auto twice = connection(TcpState::close_wait, 40000, 443, 1);
  CHECK(count({twice, twice}).close_wait.size() == 1);
}

TEST_CASE("of too many CLOSE_WAIT sockets the oldest are kept and the others counted") {
  constexpr std::uint64_t kMost = Connections::kCloseWaits;
  const auto close_waits = [](std::uint64_t first, std::uint64_t last) {
    std::vector<DiagSocket> sockets;
    for (auto cookie = first; cookie <= last; ++cookie)
      sockets.push_back(connection(TcpState::close_wait, 40000, 443, cookie));
    return sockets;
  };
  ConnectionCounter counter;
  add(counter, close_waits(1, 100));
  counter.finish(kStart);
  add(counter, close_waits(101, kMost + 200));  // the new ones come first in the dump
  add(counter, close_waits(1, 100));
  const auto connections = counter.finish(kStart + 5s);
  REQUIRE(connections.close_wait.size() == kMost);
  CHECK(connections.close_wait_cut == 200);
  CHECK(connections.close_wait[0].first_seen == kStart);
  CHECK(connections.close_wait[99].first_seen == kStart);
  CHECK(connections.close_wait[100].first_seen == kStart + 5s);

  add(counter, close_waits(101, 150));
  const auto later = counter.finish(kStart + 10s);
  CHECK(later.close_wait_cut == 0);
  CHECK(later.close_wait.front().first_seen == kStart + 5s);
}

TEST_CASE("nothing is remembered of CLOSE_WAIT sockets that were cut") {
  constexpr std::uint64_t kMost = Connections::kCloseWaits;
  ConnectionCounter counter;
  const auto show = [&](std::uint64_t newest, std::uint64_t oldest, TimePoint now) {
    for (auto cookie = newest; cookie >= oldest; --cookie)
      counter.add(connection(TcpState::close_wait, 40000, 443, cookie), kEphemeral);
    return counter.finish(now);
  };
  show(kMost, 1, kStart);
  CHECK(show(2 * kMost, 1, kStart + 5s).close_wait_cut == kMost);  // the new ones come first in the dump
  const auto connections = show(2 * kMost, kMost + 1, kStart + 10s);
  CHECK(connections.close_wait.size() == kMost);
  CHECK(connections.close_wait.front().first_seen == kStart + 10s);
}

TEST_CASE("only local ports of the ephemeral range count for a destination, and none of the server side") {
  const auto connections =
      count({listener("0.0.0.0", 40000), connection(TcpState::established, 40000, 50000),
             connection(TcpState::established, 32767, 443), connection(TcpState::established, 32768, 443),
             connection(TcpState::time_wait, 60999, 443), connection(TcpState::established, 61000, 443)});
  REQUIRE(connections.destinations.size() == 1);
  CHECK(connections.destinations[0].destination == address("10.0.0.2"));
  CHECK(connections.destinations[0].source == address("10.0.0.1"));
  CHECK(connections.destinations[0].port == 443);
  CHECK(connections.destinations[0].local_ports == 2);
  CHECK(connections.destination_undercount == 0);
}

TEST_CASE("local ports that several destinations share are counted once, their connections each") {
  auto elsewhere = connection(TcpState::established, 40000, 443);
  elsewhere.destination = address("10.0.0.3");
  const auto connections =
      count({listener("0.0.0.0", 80), connection(TcpState::established, 40000, 443), elsewhere,
             connection(TcpState::time_wait, 40001, 443), connection(TcpState::established, 1000, 443),
             connection(TcpState::established, 80, 40000)});
  CHECK(connections.ephemeral_ports_used == 2);
  CHECK(connections.ephemeral_connections == 3);
  CHECK(count({}).ephemeral_ports_used == 0);
}

TEST_CASE("the destinations that do not answer are those of connections in SYN_SENT, from whatever port") {
  auto elsewhere = connection(TcpState::syn_sent, 1000, 443);
  elsewhere.destination = address("10.0.0.3");
  const auto connections =
      count({connection(TcpState::syn_sent, 40000, 443), connection(TcpState::syn_sent, 40001, 443),
             connection(TcpState::established, 40002, 443), elsewhere});
  REQUIRE(connections.unanswered.size() == 2);
  CHECK(connections.unanswered[0].destination == address("10.0.0.2"));
  CHECK(connections.unanswered[0].port == 443);
  CHECK(connections.unanswered[0].local_ports == 2);
  CHECK(connections.unanswered[1].destination == address("10.0.0.3"));
  CHECK(connections.unanswered[1].local_ports == 1);
  REQUIRE(connections.destinations.size() == 1);
  CHECK(connections.destinations[0].local_ports == 3);
}

TEST_CASE("a dual-stack socket takes its port for the same destination as an IPv4 one") {
  const auto over = [](const std::string& source, const std::string& destination, std::uint16_t local) {
    auto socket = connection(TcpState::established, local, 443);
    socket.source = address(source);
    socket.destination = address(destination);
    return socket;
  };
  const auto connections =
      count({over("10.0.0.1", "10.0.0.2", 40000), over("::ffff:10.0.0.1", "::ffff:10.0.0.2", 40001),
             over("::10.0.0.1", "::10.0.0.2", 40002)});
  REQUIRE(connections.destinations.size() == 2);
  CHECK(connections.destinations[0].source == address("10.0.0.1"));
  CHECK(connections.destinations[0].destination == address("10.0.0.2"));
  CHECK(connections.destinations[0].local_ports == 2);
  CHECK(connections.destinations[1].destination == address("::10.0.0.2"));
}

TEST_CASE("a finished counter begins anew") {
  ConnectionCounter counter;
  add(counter, {listener("0.0.0.0", 80), connection(TcpState::established, 80, 40000),
                connection(TcpState::established, 40001, 443)});
  counter.finish(kStart);
  const auto connections = counter.finish(kStart + 5s);
  CHECK(connections.sockets == 0);
  CHECK(connections.server.empty());
  CHECK(connections.client.empty());
  CHECK(connections.half_open.empty());
  CHECK(connections.destinations.empty());
  CHECK(connections.unanswered.empty());
  CHECK(connections.ephemeral_ports_used == 0);
  CHECK(connections.ephemeral_connections == 0);
}

namespace {

// A reader, the kernel that it looks at and what was known before.
struct Looks {
  FakeSource source;
  Snapshot previous{.namespaces = {NetnsView{.name = "host"}}};
  ConnectionsReader reader;

  Result<Connections> at(TimePoint now) {
    return reader({.source = source, .now = now, .previous = previous});
  }
  void show(const std::vector<DiagSocket>& sockets) {
    source.messages.clear();
    for (const auto& socket : sockets) source.messages.push_back(to_message(socket));
  }
  void set_range(std::vector<std::int64_t> values) {
    previous.namespaces[0].settings.value = std::make_shared<const Settings>(
        Settings{{{.name = "net.ipv4.ip_local_port_range", .values = std::move(values)}}});
  }
};

}  // namespace

TEST_CASE("the ephemeral range is the namespace's setting, and every port while that is not known") {
  Looks looks;
  looks.show({connection(TcpState::established, 1024, 443), connection(TcpState::established, 65535, 443)});
  CHECK(looks.at(kStart).value().destinations.at(0).local_ports == 2);
  looks.set_range({1025, 65535});
  CHECK(looks.at(kStart).value().destinations.at(0).local_ports == 1);
  for (const auto& senseless : std::vector<std::vector<std::int64_t>>{
           {}, {1}, {60999, 32768}, {-1, 65535}, {0, 65536}, {0, std::int64_t{1} << 40}}) {
    looks.set_range(senseless);
    CHECK(looks.at(kStart).value().destinations.at(0).local_ports == 2);
  }
}

TEST_CASE("after a failed dump nothing of it is left, and CLOSE_WAIT ages go on") {
  Looks looks;
  const auto close_wait = connection(TcpState::close_wait, 40000, 443, 1);
  looks.show({close_wait});
  REQUIRE(looks.at(kStart));

  SECTION("it ended too early") {
    looks.show({listener("0.0.0.0", 80), close_wait});
    looks.source.dump_outcome = unexpected(Errc::failed, "sock_diag dump: the kernel lost messages");
    CHECK(looks.at(kStart + 5s).error().code == Errc::failed);
  }
  SECTION("a message could not be read") {
    looks.show({listener("0.0.0.0", 80), close_wait});
    looks.source.messages.emplace_back("garbage");
    CHECK(looks.at(kStart + 5s).error().code == Errc::malformed);
  }
  looks.source.dump_outcome = {};
  looks.show({close_wait});
  const auto connections = looks.at(kStart + 10s);
  REQUIRE(connections);
  CHECK(connections->sockets == 1);
  CHECK(connections->server.empty());
  CHECK(connections->close_wait.at(0).first_seen == kStart);
}

TEST_CASE("connections that wait for accept() are followed from dump to dump") {
  auto waiting = connection(TcpState::established, 80, 40000, 1),
       reset = connection(TcpState::established, 80, 40001, 2);
  auto accepted = connection(TcpState::close_wait, 80, 40002, 3);
  waiting.inode = reset.inode = accepted.inode = 0;
  Looks looks;
  looks.show({listener("0.0.0.0", 80), listener("0.0.0.0", 81), waiting, reset, accepted});
  CHECK_FALSE(looks.at(kStart).value().server.at(0).unaccepted_left);
  SECTION("to the next one") {}
  SECTION("past one that failed") {
    looks.source.dump_outcome = unexpected(Errc::failed, "sock_diag dump: the kernel lost messages");
    REQUIRE_FALSE(looks.at(kStart + 4s));
    looks.source.dump_outcome = {};
  }
  accepted.inode = 99;
  waiting.state = TcpState::close_wait;  // its client has given up: it waits all the same
  looks.show({listener("0.0.0.0", 80), listener("0.0.0.0", 81), waiting, accepted});
  const auto connections = looks.at(kStart + 8s).value();
  CHECK(connections.server.at(0).unaccepted_left == 2U);
  CHECK(connections.server.at(1).unaccepted_left == 0U);
}

TEST_CASE("connections that wait for accept() are not followed into another namespace") {
  auto waiting = connection(TcpState::established, 80, 40000, 1);
  waiting.inode = 0;
  Looks looks;
  looks.show({listener("0.0.0.0", 80), waiting});
  REQUIRE(looks.at(kStart));
  ++looks.source.netns_generation;
  looks.show({listener("0.0.0.0", 80)});
  CHECK_FALSE(looks.at(kStart + 4s).value().server.at(0).unaccepted_left);
  CHECK(looks.at(kStart + 8s).value().server.at(0).unaccepted_left == 0U);
}

TEST_CASE("CLOSE_WAIT ages end with their namespace") {
  Looks looks;
  looks.show({connection(TcpState::close_wait, 40000, 443, 1)});
  REQUIRE(looks.at(kStart));
  SECTION("which was seen to be gone") {
    looks.source.dump_outcome = unexpected(Errc::no_netns, "network namespace /run/netns/a: gone");
    REQUIRE_FALSE(looks.at(kStart + 5s));
    looks.source.dump_outcome = {};
  }
  SECTION("in whose place there is another one") { ++looks.source.netns_generation; }
  CHECK(looks.at(kStart + 10s).value().close_wait.at(0).first_seen == kStart + 10s);
}

TEST_CASE("of a queue that stands still it is read for how long the first connection waits") {
  struct Kernel : FakeSource {
    std::vector<SocketDump> requests;
    Result<void> dump_sockets(const SocketDump& request, const OnMessage& on_message) override {
      requests.push_back(request);
      return FakeSource::dump_sockets(request, on_message);
    }
  } kernel;
  const auto waiting = [&](std::uint16_t remote, std::uint32_t milliseconds, std::uint32_t inode = 0) {
    auto socket = connection(TcpState::established, 80, remote, remote);
    socket.inode = inode;
    tcp_info info{};
    info.tcpi_last_data_sent = milliseconds;
    kernel.messages.push_back(to_message(socket) + attribute(INET_DIAG_INFO, bytes_of(info)));
  };
  kernel.messages = {to_message(listener("0.0.0.0", 80))};
  waiting(40000, 1500);
  waiting(40001, 47000);
  waiting(40002, 99000, 7);  // accepted
  Snapshot previous{.namespaces = {NetnsView{.name = "host"}}};
  auto& listeners = previous.namespaces[0].listeners;
  listeners.read_at = kStart;
  const auto look = [&](std::optional<QueueRun> still, std::optional<QueueRun> standing = {}) {
    listeners.value = std::make_shared<const Listeners>(Listeners{
        .listeners = {
            {.endpoint = {.port = 80}, .sockets = {{.inode = 5}}, .standing = standing, .still = still}}});
    kernel.requests.clear();
    return ConnectionsReader()({.source = kernel, .now = kStart, .previous = previous})
        .value()
        .server.at(0)
        .unaccepted_longest;
  };
  CHECK(look(QueueRun{kStart - 3s, kStart}) == 47s);
  REQUIRE(kernel.requests.size() == 2);
  CHECK(kernel.requests[1].tcp_info);
  CHECK(kernel.requests[1].local_ports == std::vector<std::uint16_t>{80});
  for (const auto& none : {std::optional<QueueRun>(), std::optional(QueueRun{kStart - 1s, kStart}),
                           std::optional(QueueRun{kStart - 9s, kStart - 1s})}) {
    CHECK_FALSE(look(none));
    CHECK(kernel.requests.size() == 1);
  }
  CHECK(look({}, QueueRun{kStart - 6s, kStart}) == 47s);  // something is taken, but somebody always waits
  CHECK_FALSE(look({}, QueueRun{kStart - 4s, kStart}));
}

TEST_CASE("a CLOSE_WAIT socket with data on its way is one on which this end sends") {
  auto queued = connection(TcpState::close_wait, 80, 40000, 1),
       lost = connection(TcpState::close_wait, 80, 40001, 2);
  auto probing = connection(TcpState::close_wait, 80, 40002, 3),
       quiet = connection(TcpState::close_wait, 80, 40003, 4);
  queued.send_queue = 3000;
  lost.timer = DiagTimer::retransmit;
  probing.timer = DiagTimer::window_probe;
  quiet.timer = DiagTimer::keep_alive;
  ConnectionCounter counter;
  add(counter, {queued, lost, probing, quiet});
  counter.finish(kStart);
  queued.send_queue = 0;
  add(counter, {queued, lost, probing, quiet});
  const auto connections = counter.finish(kStart + 4s);
  REQUIRE(connections.close_wait.size() == 4);
  CHECK(connections.close_wait[0].sent_at == kStart);  // it was seen then
  CHECK(connections.close_wait[1].sent_at == kStart + 4s);
  CHECK(connections.close_wait[2].sent_at == kStart + 4s);
  CHECK(connections.close_wait[3].idle_since() == kStart);
}

TEST_CASE("when many are in CLOSE_WAIT it is asked when each sent something last") {
  Looks looks;
  const auto show = [&](std::uint16_t count, std::uint32_t since_sent) {
    looks.source.messages.clear();
    for (std::uint16_t each = 0; each < count; ++each)
      looks.source.messages.push_back(
          to_message(connection(TcpState::close_wait, 80, static_cast<std::uint16_t>(40000 + each), each)) +
          activity(since_sent, 60000));
  };
  show(10, 1500);
  REQUIRE(looks.at(kStart));
  const auto served = looks.at(kStart + 8s).value();
  REQUIRE(served.close_wait.size() == 10);
  CHECK(served.close_wait[0].first_seen == kStart);
  CHECK(served.close_wait[0].idle_since() == kStart + 6500ms);
  show(10, 90000);  // what is known does not get worse
  CHECK(looks.at(kStart + 12s).value().close_wait[0].idle_since() == kStart + 6500ms);
}

TEST_CASE("what does not tell when it sent something last has sent nothing, as far as is known") {
  Looks looks;
  std::vector<DiagSocket> sockets;
  for (std::uint16_t each = 0; each < 20; ++each)
    sockets.push_back(connection(TcpState::close_wait, 80, static_cast<std::uint16_t>(40000 + each), each));
  looks.show(sockets);
  REQUIRE(looks.at(kStart));
  CHECK(looks.at(kStart + 8s).value().close_wait.at(0).idle_since() == kStart);
}

TEST_CASE("established connections without a timer and with nothing under way are unwatched") {
  const auto plain = connection(TcpState::established, 80, 40000, 1);
  auto kept = plain, sending = plain, unread = plain, waiting = plain;
  kept.timer = DiagTimer::keep_alive;
  sending.send_queue = 1;
  unread.receive_queue = 1;
  waiting.inode = 0;
  const auto connections = count({listener("0.0.0.0", 80), plain, kept, sending, unread, waiting,
                                  connection(TcpState::close_wait, 80, 40001, 2)});
  CHECK(connections.server.at(0).unwatched == 1);
}

TEST_CASE("how long connections are idle is asked at the ports of processes near their limit") {
  Looks looks;
  looks.source.messages.push_back(to_message(listener("0.0.0.0", 80)));
  for (std::uint16_t each = 0; each < 20; ++each)
    looks.source.messages.push_back(
        to_message(connection(TcpState::established, 80, static_cast<std::uint16_t>(40000 + each), each)) +
        activity(each < 2 ? 5000 : 90000, 48500));
  looks.previous.namespaces[0].listeners.value = std::make_shared<const Listeners>(
      Listeners{.listeners = {{.endpoint = {.port = 80}, .sockets = {{.inode = 77}}}}});
  const auto processes = [&](std::uint64_t open) {
    looks.previous.processes.value = std::make_shared<const Processes>(
        Processes{.processes = {{.pid = 7, .open_fds = open, .soft_limit = 100, .listener_inodes = {77}}}});
  };
  processes(50);
  CHECK(looks.at(kStart).value().idle.empty());
  processes(90);
  const auto idle = looks.at(kStart + 4s).value().idle;
  REQUIRE(idle.size() == 1);
  CHECK(idle[0].port == 80);
  CHECK(idle[0].count == 18);
  CHECK(idle[0].shortest == 48s);
}

TEST_CASE("connections are dumped again once anything moves, and at the latest after a while") {
  Looks looks;
  auto& netns = looks.previous.namespaces[0];
  const auto move = [&] { netns.tcp = {std::make_shared<const TcpCounters>(), kStart}; };
  const auto use = [&](std::uint64_t sockets, std::uint64_t time_wait) {
    netns.sockets = {std::make_shared<const SocketUsage>(
                         SocketUsage{.tcp_in_use = sockets, .time_wait = time_wait, .allocated = sockets}),
                     kStart};
  };
  const auto holds = [&](std::chrono::seconds after) {
    return looks.reader
        .still_holds({.source = looks.source, .now = kStart + after, .previous = looks.previous})
        .has_value();
  };
  move();
  use(1, 0);
  looks.show({listener("0.0.0.0", 80)});
  CHECK_FALSE(holds(0s));
  REQUIRE(looks.at(kStart));
  CHECK(holds(599s));
  CHECK_FALSE(holds(600s));

  looks.show({listener("0.0.0.0", 80), connection(TcpState::established, 80, 40000)});
  REQUIRE(looks.at(kStart));
  CHECK(holds(59s));
  CHECK_FALSE(holds(60s));
  use(2, 0);
  CHECK_FALSE(holds(4s));
  use(1, 1);
  CHECK_FALSE(holds(4s));
  use(1, 0);
  CHECK(holds(4s));
  move();
  CHECK_FALSE(holds(4s));
}

TEST_CASE("connections that a process or a timer can change without a segment are dumped each time") {
  auto waiting = connection(TcpState::established, 80, 40000), unread = waiting;
  waiting.inode = 0;
  unread.receive_queue = 1;
  for (const auto& socket : {waiting, unread, connection(TcpState::close_wait, 80, 40000),
                             connection(TcpState::syn_sent, 40000, 80),
                             connection(TcpState::fin_wait2, 40000, 80), half_open("0.0.0.0", 80)}) {
    Looks looks;
    auto& netns = looks.previous.namespaces[0];
    netns.tcp = {std::make_shared<const TcpCounters>(), kStart};
    netns.sockets = {std::make_shared<const SocketUsage>(), kStart};
    looks.show({listener("0.0.0.0", 80), socket});
    REQUIRE(looks.at(kStart));
    CHECK_FALSE(
        looks.reader.still_holds({.source = looks.source, .now = kStart, .previous = looks.previous}));
  }
}
