// SPDX-License-Identifier: Apache-2.0
#include "collectors/listeners.h"

#include <algorithm>

#include "collectors/netstat.h"
#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;

namespace {

// What both can tell of a listening socket.
std::vector<SsSocket> ours(ListenersReader& reader, Source& source) {
  const auto listeners = look(reader, source);
  REQUIRE(listeners);
  std::vector<SsSocket> sockets;
  for (const auto& listener : listeners->listeners) {
    for (const auto& socket : listener.sockets) {
      REQUIRE(socket.drops.has_value());
      sockets.push_back({.state = "LISTEN",
                         .receive_queue = socket.queue_length,
                         .send_queue = socket.queue_limit,
                         .local_port = listener.endpoint.port,
                         .inode = socket.inode,
                         .cookie = socket.cookie,
                         .drops = *socket.drops});
    }
  }
  std::sort(sockets.begin(), sockets.end());
  return sockets;
}

std::vector<SsSocket> theirs() {
  auto sockets = ss("-lm");
  for (auto& socket : sockets) socket.local_address.clear();  // ss writes "*" for a dual-stack "::"
  std::sort(sockets.begin(), sockets.end());
  return sockets;
}

std::vector<FileDescriptor> connect_many(int count, const std::string& to, std::uint16_t port) {
  std::vector<FileDescriptor> clients;
  for (int each = 0; each < count; ++each) clients.push_back(connect_to(to, port));
  return clients;
}

Listener listener_on(ListenersReader& reader, Source& source, std::uint16_t port) {
  const auto listeners = look(reader, source);
  REQUIRE(listeners);
  for (const auto& each : listeners->listeners)
    if (each.endpoint.port == port) return each;
  FAIL("no listener on port " << port);
  return {};
}

}  // namespace

TEST_CASE("queue, limit and drops of overflowing listeners are what ss says") {
  FreshNetns netns;
  const auto backlog = GENERATE(0, 3);
  const auto v4 = listen_on("127.0.0.1", 7201, {.backlog = backlog});
  const auto v6 = listen_on("::1", 7202, {.backlog = backlog, .v6_only = true});
  const auto dual_stack = listen_on("::", 7203, {.backlog = backlog});
  const auto idle = listen_on("0.0.0.0", 7204, {.backlog = 64});
  const auto to_v4 = connect_many(backlog + 5, "127.0.0.1", port_of(v4));
  const auto to_v6 = connect_many(backlog + 5, "::1", port_of(v6));
  const auto to_dual_stack = connect_many(backlog + 5, "127.0.0.1", port_of(dual_stack));

  ListenersReader reader;
  const auto source = live_source();
  const auto [said, oracle] = at_one_moment([&] { return ours(reader, *source); }, theirs);
  REQUIRE(said.size() == 4);
  CHECK(said == oracle);
  for (const auto* listener : {&v4, &v6, &dual_stack}) {
    const auto seen = listener_on(reader, *source, port_of(*listener));
    CHECK(seen.fullest().queue_limit == static_cast<std::uint32_t>(backlog));
    CHECK(seen.fullest().queue_length == static_cast<std::uint32_t>(backlog + 1));
    CHECK(fill_ratio(seen.fullest()) == 1);
    REQUIRE(seen.drops.has_value());
    CHECK(*seen.drops >= 4);
  }
  CHECK(listener_on(reader, *source, port_of(v6)).v6_only == true);
  CHECK(listener_on(reader, *source, port_of(dual_stack)).v6_only == false);
  CHECK_FALSE(listener_on(reader, *source, port_of(v4)).v6_only.has_value());
  CHECK(listener_on(reader, *source, port_of(idle)).drops == 0U);
}

TEST_CASE("each member of a reuseport group has the queue and drops that ss says") {
  FreshNetns netns;
  std::vector<FileDescriptor> members;
  members.push_back(listen_on("127.0.0.1", 0, {.backlog = 1, .reuse_port = true}));
  const auto port = port_of(members.front());
  while (members.size() < 4)
    members.push_back(listen_on("127.0.0.1", port, {.backlog = 1, .reuse_port = true}));
  const auto clients = connect_many(60, "127.0.0.1", port);

  ListenersReader reader;
  const auto source = live_source();
  const auto [said, oracle] = at_one_moment([&] { return ours(reader, *source); }, theirs);
  CHECK(said == oracle);
  REQUIRE(said.size() == 4);
  const auto seen = listener_on(reader, *source, port);
  CHECK(seen.sockets.size() == 4);
  std::uint64_t drops = 0;
  for (const auto& socket : seen.sockets) drops += socket.drops.value();
  REQUIRE(seen.drops.has_value());
  CHECK(*seen.drops == drops);
  CHECK(drops >= 60 - 4 * 2);

  members.pop_back();  // its share stays in the group's sum
  const auto without = listener_on(reader, *source, port);
  CHECK(without.sockets.size() == 3);
  CHECK(*without.drops >= drops);
}

TEST_CASE("the peak of a queue stays when the queue is drained") {
  FreshNetns netns;
  const auto listener = listen_on("127.0.0.1", 0, {.backlog = 16});
  const auto clients = connect_many(7, "127.0.0.1", port_of(listener));
  ListenersReader reader;
  const auto source = live_source();
  wait_until("a full queue",
             [&] { return listener_on(reader, *source, port_of(listener)).fullest().queue_length == 7; });
  for (int each = 0; each < 7; ++each) {
    const auto accepted = accept_from(listener);
  }
  const auto drained = listener_on(reader, *source, port_of(listener));
  CHECK(drained.fullest().queue_length == 0);
  CHECK(drained.peak_length == 7);
}

TEST_CASE("SYNs that a full accept queue drops are counted at the listener and in the namespace alike") {
  FreshNetns netns;
  add_link_to_nowhere();
  const auto listener = listen_on("192.0.2.1", 0, {.backlog = 0});
  const auto client = connect_to("192.0.2.1", port_of(listener));
  ListenersReader reader;
  const auto source = live_source();
  wait_until("a full queue",
             [&] { return listener_on(reader, *source, port_of(listener)).fullest().queue_length == 1; });
  for (std::uint16_t each = 1; each <= 20; ++each)
    send_syn("192.0.2.9", each, "192.0.2.1", port_of(listener));
  CHECK(listener_on(reader, *source, port_of(listener)).drops == 20U);
  const auto counters = read_tcp_counters(*source);
  REQUIRE(counters);
  CHECK(counters->listen_overflows == 20U);
  CHECK(counters->listen_drops == 20U);
}
