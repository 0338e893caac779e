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

// What dumps show, and the time since something came to any of the connections.
struct Dumps {
  FakeSource source;
  Snapshot previous{.namespaces = {NetnsView{.name = "host"}}};
  ConnectionsReader reader;

  Connections at(TimePoint now, const std::vector<DiagSocket>& sockets, std::chrono::milliseconds received) {
    source.messages = {to_message(listener(80)), to_message(listener(81))};
    for (const auto& socket : sockets)
      source.messages.push_back(to_message(socket) +
                                activity(0, static_cast<std::uint32_t>(received.count())));
    return reader({.source = source, .now = now, .previous = previous, .netns_index = 0}).value();
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
  CHECK(connections.unread[0].port == 80);
  CHECK(connections.unread[0].accepted == 13);
  CHECK(connections.unread[0].standing == 12);
  CHECK(connections.unread[0].not_read == Count(12));
  CHECK(connections.unread[0].longest == 10s);
}

TEST_CASE("what shrinks or grows is counted from then on: it is read, or there is more of it") {
  Dumps dumps;
  dumps.at(kStart, many(12, 100), 500ms);
  dumps.at(kStart + 5s, many(12, 99), 5500ms);
  CHECK(dumps.at(kStart + 10s, many(12, 99), 10500ms).unread.empty());
  CHECK(dumps.at(kStart + 15s, many(12, 99), 15500ms).unread.size() == 1);
  CHECK(dumps.at(kStart + 20s, many(12, 130), 0s).unread.empty());
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

TEST_CASE("where few stand, or the kernel does not say when something came, it is not known") {
  Dumps dumps;
  const auto few = many(9, 100);
  dumps.at(kStart, few, 0s);
  const auto not_asked = dumps.at(kStart + 12s, few, 12s);
  REQUIRE(not_asked.unread.size() == 1);
  CHECK(not_asked.unread[0].standing == 9);
  CHECK_FALSE(not_asked.unread[0].not_read);

  const auto read = [&](TimePoint now) {
    dumps.source.messages = {to_message(listener(80))};
    for (const auto& socket : many(20, 100)) dumps.source.messages.push_back(to_message(socket));
    return dumps.reader({.source = dumps.source, .now = now, .previous = dumps.previous, .netns_index = 0})
        .value();
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
  CHECK_FALSE(dumps.reader(
      {.source = dumps.source, .now = kStart + 4s, .previous = dumps.previous, .netns_index = 0}));
  dumps.source.dump_outcome = {};
  const auto connections = dumps.at(kStart + 11s, twice, 11s);
  REQUIRE(connections.unread.size() == 1);
  CHECK(connections.unread[0].standing == 12);
}

TEST_CASE("more connections with unread data than can be followed are counted") {
  ConnectionCounter counter;
  const auto most = static_cast<std::uint32_t>(UnreadFollower::kMost);
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

TEST_CASE("of very many ports those with the most unread connections are kept") {
  ConnectionCounter counter;
  const auto show = [&] {
    for (std::uint16_t port = 1; port <= 40; ++port) counter.add(listener(port), {});
    std::uint64_t cookie = 0;
    for (std::uint16_t port = 1; port <= 40; ++port)
      for (std::uint16_t each = 0; each < port; ++each) counter.add(with_unread(++cookie, 5, port), {});
  };
  show();
  counter.finish(kStart);
  show();
  const auto unread = counter.finish(kStart + 10s).unread;
  REQUIRE(unread.size() == Connections::kUnreadPorts);
  CHECK(unread.front().port == 40);
  CHECK(unread.back().port == 9);
}
