// SPDX-License-Identifier: Apache-2.0
#include "collectors/connections.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart = TimePoint(1000s);

DiagSocket listener(std::uint16_t port) {
  return {.state = TcpState::listen, .source = address("0.0.0.0"), .source_port = port, .inode = 1};
}

DiagSocket with_unread(std::uint64_t cookie, std::uint32_t bytes, std::uint16_t port = 80) {
  return {.state = TcpState::established,
          .source = address("10.0.0.1"),
          .destination = address("10.0.0.2"),
          .source_port = port,
          .destination_port = static_cast<std::uint16_t>(40000 + cookie),
          .cookie = cookie,
          .receive_queue = bytes,
          .inode = 99};
}

// What dumps show, and the time since something came to any of the connections; nothing is sent on them
// unless that is said.
struct Dumps {
  FakeSource source;
  Snapshot previous{.namespaces = {NetnsView{.name = "host"}}};
  ConnectionsReader reader;

  std::chrono::milliseconds sent = 60s;

  Connections at(TimePoint now, const std::vector<DiagSocket>& sockets, std::chrono::milliseconds received,
                 std::optional<std::uint64_t> bytes_received = std::nullopt) {
    source.messages = {to_message(listener(80)), to_message(listener(81))};
    for (const auto& socket : sockets)
      source.messages.push_back(to_message(socket) + activity(static_cast<std::uint32_t>(sent.count()),
                                                              static_cast<std::uint32_t>(received.count()),
                                                              bytes_received));
    return reader({.source = source, .now = now, .previous = previous}).value();
  }
};

std::vector<DiagSocket> many(std::uint32_t count, std::uint32_t bytes, std::uint16_t port = 80,
                             std::uint64_t first = 1) {
  std::vector<DiagSocket> sockets;
  for (std::uint32_t each = 0; each < count; ++each)
    sockets.push_back(with_unread(first + each, bytes, port));
  return sockets;
}

}  // namespace

TEST_CASE("of the connections that a server has accepted those with unread data are counted") {
  auto un_accepted = with_unread(2, 100), closed = with_unread(3, 100), of_a_client = with_unread(4, 100);
  un_accepted.inode = 0;
  closed.state = TcpState::close_wait;
  of_a_client.source_port = 40004;
  of_a_client.destination_port = 443;
  Dumps dumps;
  const auto connections =
      dumps.at(kStart, {with_unread(1, 100), un_accepted, closed, of_a_client, with_unread(5, 0)}, 0s);
  REQUIRE(connections.server.size() == 2);
  CHECK(connections.server[0].accepted == 2);
  CHECK(connections.server[0].unread == 1);
  REQUIRE(connections.client.size() == 1);
  CHECK(connections.client[0].accepted == 0);
  CHECK(connections.client[0].unread == 0);
  CHECK(connections.unread.empty());
}

TEST_CASE("data that stays for ten seconds while nothing comes is not being read") {
  Dumps dumps;
  CHECK(dumps.at(kStart, many(12, 100), 500ms).unread.empty());
  CHECK(dumps.at(kStart + 5s, many(12, 100), 5500ms).unread.empty());
  auto now = many(12, 100);
  now.push_back(with_unread(100, 0));
  const auto connections = dumps.at(kStart + 10s, now, 10500ms);
  REQUIRE(connections.unread.size() == 1);
  CHECK(connections.unread[0].address == address("10.0.0.1"));
  CHECK(connections.unread[0].port == 80);
  CHECK(connections.unread[0].accepted == 13);
  CHECK(connections.unread[0].served == 0);
  CHECK(connections.unread[0].standing == 12);
  CHECK(connections.unread[0].not_read == Count(12));
  CHECK(connections.unread[0].longest == 10s);
}

TEST_CASE("what shrinks was read, and is counted from then on") {
  Dumps dumps;
  dumps.at(kStart, many(12, 100), 500ms);
  dumps.at(kStart + 5s, many(12, 99), 5500ms);
  CHECK(dumps.at(kStart + 10s, many(12, 99), 10500ms).unread.empty());
  CHECK(dumps.at(kStart + 15s, many(12, 99), 15500ms).unread.size() == 1);
}

TEST_CASE("what clients send again and again is not read while the bytes that were read stay as many") {
  Dumps dumps;
  std::uint32_t waiting = 10;
  const auto dump = [&](std::chrono::seconds at, std::uint64_t read) {
    waiting += 2;
    return dumps.at(kStart + at, many(12, waiting), 1s, read + waiting).unread;
  };
  for (const auto at : {0s, 4s, 8s}) CHECK(dump(at, 500).empty());
  REQUIRE(dump(12s, 500).size() == 1);  // from here on it is asked for
  CHECK(dump(16s, 500).front().not_read == Count(0));
  const auto later = dump(24s, 500).front();
  CHECK(later.not_read == Count(12));
  CHECK(later.longest == 12s);
  const auto read = dump(28s, 501).front();
  CHECK(read.not_read == Count(0));
  CHECK(read.served == 12);
}

TEST_CASE("a server that sends all the time serves, whatever it leaves unread") {
  Dumps dumps;
  dumps.sent = 1s;
  for (const auto at : {0s, 5s}) dumps.at(kStart + at, many(12, 20), 30s);
  const auto connections = dumps.at(kStart + 10s, many(12, 20), 40s);
  CHECK(connections.unread.at(0).not_read == Count(0));
  CHECK(connections.unread.at(0).served == 12);
}

TEST_CASE(
    "requests of clients that have given up are not read either, but the end of a connection is no request") {
  Dumps dumps;
  auto gone = many(12, 101), idle = many(12, 1, 81, 100);
  for (auto* sockets : {&gone, &idle})
    for (auto& socket : *sockets) socket.state = TcpState::close_wait;
  gone.insert(gone.end(), idle.begin(), idle.end());
  for (const auto at : {0s, 5s}) dumps.at(kStart + at, gone, 60s);
  const auto unread = dumps.at(kStart + 10s, gone, 60s).unread;
  REQUIRE(unread.size() == 1);
  CHECK(unread[0].port == 80);
  CHECK(unread[0].not_read == Count(12));
}

TEST_CASE("one address does not count for another one with the same port") {
  Dumps dumps;
  auto sockets = many(12, 100), others = many(30, 0, 80, 100);
  for (auto& other : others) other.source = address("10.0.0.7");
  sockets.insert(sockets.end(), others.begin(), others.end());
  for (const auto at : {0s, 5s}) dumps.at(kStart + at, sockets, 60s);
  const auto unread = dumps.at(kStart + 10s, sockets, 60s).unread;
  REQUIRE(unread.size() == 1);
  CHECK(unread[0].accepted == 12);
}

TEST_CASE("a busy server whose clients ask again with as many bytes reads them") {
  Dumps dumps;
  for (const auto at : {0s, 4s, 8s}) dumps.at(kStart + at, many(50, 40), 300ms);
  const auto connections = dumps.at(kStart + 12s, many(50, 40), 300ms);
  REQUIRE(connections.unread.size() == 1);
  CHECK(connections.unread[0].standing == 50);
  CHECK(connections.unread[0].not_read == Count(0));
  CHECK_FALSE(connections.unread[0].longest);
}

TEST_CASE("few are not told, and where the kernel does not say when something came, it is not known") {
  Dumps dumps;
  const auto few = many(9, 100);
  dumps.at(kStart, few, 0s);
  const auto not_asked = dumps.at(kStart + 12s, few, 12s);
  CHECK(not_asked.unread.empty());

  const auto read = [&](TimePoint now) {
    dumps.source.messages = {to_message(listener(80))};
    for (const auto& socket : many(20, 100)) dumps.source.messages.push_back(to_message(socket));
    return dumps.reader({.source = dumps.source, .now = now, .previous = dumps.previous}).value();
  };
  read(kStart + 20s);
  const auto not_told = read(kStart + 32s);
  REQUIRE(not_told.unread.size() == 1);
  CHECK(not_told.unread[0].standing == 20);
  CHECK_FALSE(not_told.unread[0].not_read);
}

TEST_CASE("each port is counted for itself, the one with the most first") {
  Dumps dumps;
  auto sockets = many(10, 100, 80);
  const auto more = many(20, 7, 81, 100);
  sockets.insert(sockets.end(), more.begin(), more.end());
  dumps.at(kStart, sockets, 1s);
  const auto connections = dumps.at(kStart + 11s, sockets, 12s);
  REQUIRE(connections.unread.size() == 2);
  CHECK(connections.unread[0].port == 81);
  CHECK(connections.unread[0].not_read == Count(20));
  CHECK(connections.unread[1].port == 80);
  CHECK(connections.unread[1].not_read == Count(10));
}

TEST_CASE("a connection that the dump shows twice counts once, and a failed dump forgets nothing") {
  Dumps dumps;
  auto twice = many(12, 100);
  twice.push_back(twice.front());
  dumps.at(kStart, twice, 0s);
  dumps.source.dump_outcome = unexpected(Errc::failed, "sock_diag dump: the kernel lost messages");
  CHECK_FALSE(dumps.reader({.source = dumps.source, .now = kStart + 4s, .previous = dumps.previous}));
  dumps.source.dump_outcome = {};
  const auto connections = dumps.at(kStart + 11s, twice, 11s);
  REQUIRE(connections.unread.size() == 1);
  CHECK(connections.unread[0].standing == 12);
}

TEST_CASE("more connections with unread data than can be followed are counted") {
  ConnectionCounter counter;
  const auto most = static_cast<std::uint32_t>(kMostFollowed);
  const auto show = [&] {
    counter.add(listener(80), {});
    for (std::uint32_t each = 0; each < most + 7; ++each) counter.add(with_unread(1 + each, 5), {});
  };
  show();
  CHECK(counter.finish(kStart).unread_cut == 7);
  show();
  const auto connections = counter.finish(kStart + 10s);
  CHECK(connections.server.at(0).unread == most + 7);
  REQUIRE(connections.unread.size() == 1);
  CHECK(connections.unread[0].standing == most);
  CHECK(connections.unread_cut == 7);
}

TEST_CASE(
    "of very many ports those with the most are kept, the first of every user, and the rest is counted") {
  ConnectionCounter counter;
  const auto show = [&] {
    for (std::uint16_t port = 1; port <= 41; ++port) counter.add(listener(port), {.first = 32768});
    std::uint64_t cookie = 0;
    for (std::uint16_t port = 1; port <= 41; ++port)
      for (std::uint16_t each = 0; each < 9 + port; ++each) {
        auto socket = with_unread(++cookie, 5, port);
        socket.uid = port == 1 ? 33 : 1000;
        counter.add(socket, {.first = 32768});
      }
  };
  show();
  counter.finish(kStart);
  show();
  const auto connections = counter.finish(kStart + 10s);
  REQUIRE(connections.unread.size() == Connections::kUnreadPorts);
  CHECK(std::ranges::find(connections.unread, std::uint16_t{1}, &UnreadConnections::port) !=
        connections.unread.end());
  CHECK(connections.unread.front().port == 41);
  std::uint64_t cut = 0;  // ports 2 to 10
  for (std::uint64_t port = 2; port <= 10; ++port) cut += 9 + port;
  CHECK(connections.unread_cut == cut);
}
