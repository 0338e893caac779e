// SPDX-License-Identifier: Apache-2.0
#include "collectors/connections.h"

#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/catch.h"
#include "tests/kernel/testbed.h"

using namespace tcpdiag;

namespace {

// "server 80 established" and the like, to how many.
using Counts = std::map<std::string, std::uint64_t>;

std::string lines(const Counts& counts) {
  std::string text;
  for (const auto& [what, count] : counts) text += what + ": " + std::to_string(count) + "\n";
  return text;
}

// Waits until both are equal, then checks it: a difference that stays is shown.
template <class Show>
void check_becomes(Show show, const Counts& expected) {
  (void)holds_within(std::chrono::seconds(10), [&] { return show() == expected; });
  CHECK(lines(show()) == lines(expected));
}

std::string our_word(const std::string& ss_word) {
  static const std::map<std::string, TcpState> kStates = {
      {"ESTAB", TcpState::established},    {"SYN-SENT", TcpState::syn_sent},
      {"SYN-RECV", TcpState::syn_recv},    {"FIN-WAIT-1", TcpState::fin_wait1},
      {"FIN-WAIT-2", TcpState::fin_wait2}, {"TIME-WAIT", TcpState::time_wait},
      {"UNCONN", TcpState::close},         {"CLOSE-WAIT", TcpState::close_wait},
      {"LAST-ACK", TcpState::last_ack},    {"LISTEN", TcpState::listen},
      {"CLOSING", TcpState::closing}};
  return std::string(to_string(kStates.at(ss_word)));
}

void add(Counts& counts, const std::string& role, const std::vector<PortConnections>& rows) {
  for (const auto& row : rows) {
    const auto prefix = role + " " + std::to_string(row.port) + " ";
    for (std::size_t state = 1; state < kTcpStates; ++state)
      if (row.by_state[state] != 0)
        counts[prefix + std::string(to_string(static_cast<TcpState>(state)))] = row.by_state[state];
    if (row.unaccepted != 0) counts[prefix + "unaccepted"] = row.unaccepted;
  }
}

Counts ours(ConnectionsReader& reader, Source& source) {
  const auto connections = look(reader, source);
  REQUIRE(connections);
  Counts counts;
  add(counts, "server", connections->server);
  add(counts, "client", connections->client);
  counts["close_wait held"] = connections->close_wait.size();
  return counts;
}

Counts theirs() {
  const auto sockets = ss("-a");
  std::set<std::uint16_t> served;
  for (const auto& socket : sockets)
    if (socket.state == "LISTEN") served.insert(socket.local_port);
  Counts counts{{"close_wait held", 0}};
  for (const auto& socket : sockets) {
    const bool server = served.contains(socket.local_port);
    const auto prefix = (server ? "server " + std::to_string(socket.local_port)
                                : "client " + std::to_string(socket.remote_port)) +
                        " ";
    ++counts[prefix + our_word(socket.state)];
    if (server && socket.inode == 0 && (socket.state == "ESTAB" || socket.state == "CLOSE-WAIT"))
      ++counts[prefix + "unaccepted"];
    if (socket.state == "CLOSE-WAIT" && socket.inode != 0) ++counts["close_wait held"];
  }
  return counts;
}

// A server and its clients in every state that lasts.
struct Crowd {
  FileDescriptor listener, stuck;
  std::vector<FileDescriptor> held;

  Crowd(const std::string& at, const std::vector<std::string>& from, const ListenOptions& options)
      : listener(listen_on(at, 0, options)) {
    auto full = options;
    full.backlog = 0;
    stuck = listen_on(at, 0, full);
    for (const auto& to : from) {
      established(to);
      client_closes_first(to);
      server_closes_first(to);
    }
    for (const auto& to : from) {  // these stay in the accept queue
      held.push_back(connect_to(to, port_of(listener)));
      {
        const auto gone = connect_to(to, port_of(listener));
      }
    }
    // The first one fills the queue of listen(0), the second one's SYN is dropped.
    for (int each = 0; each < 2; ++each) held.push_back(connect_to(from.front(), port_of(stuck)));
  }

  FileDescriptor& client(const std::string& to) {
    return held.emplace_back(connect_to(to, port_of(listener)));
  }
  void established(const std::string& to) {
    client(to);
    held.push_back(accept_from(listener));
  }
  // CLOSE_WAIT at the server, FIN_WAIT2 at the client.
  void client_closes_first(const std::string& to) {
    const auto socket = client(to).get();
    held.push_back(accept_from(listener));
    REQUIRE(::shutdown(socket, SHUT_WR) == 0);
  }
  // TIME_WAIT at the server.
  void server_closes_first(const std::string& to) {
    const auto client = connect_to(to, port_of(listener));
    {
      const auto accepted = accept_from(listener);
    }
    wait_until("the end of the stream", [&] {
      char byte = 0;
      return ::recv(client.get(), &byte, 1, MSG_DONTWAIT) == 0;
    });
  }
};

void check_crowd(const std::string& at, const std::vector<std::string>& from, const ListenOptions& options) {
  FreshNetns netns;
  const Crowd crowd(at, from, options);
  const auto port = std::to_string(port_of(crowd.listener));
  const auto stuck = std::to_string(port_of(crowd.stuck));
  const auto per_state = from.size();
  ConnectionsReader reader;
  const auto source = live_source();
  const Counts expected = {{"server " + port + " listen", 1},
                           {"server " + port + " established", 2 * per_state},
                           {"server " + port + " close_wait", 2 * per_state},
                           {"server " + port + " unaccepted", 2 * per_state},
                           {"server " + port + " time_wait", per_state},
                           {"client " + port + " established", 2 * per_state},
                           {"client " + port + " fin_wait2", 2 * per_state},
                           {"server " + stuck + " listen", 1},
                           {"server " + stuck + " established", 1},
                           {"server " + stuck + " unaccepted", 1},
                           {"client " + stuck + " established", 1},
                           {"client " + stuck + " syn_sent", 1},
                           {"close_wait held", per_state}};
  check_becomes([&] { return ours(reader, *source); }, expected);
  const auto [ours_now, oracle] = at_one_moment([&] { return ours(reader, *source); }, theirs);
  CHECK(lines(ours_now) == lines(oracle));
}

Counts half_open(ConnectionsReader& reader, Source& source) {
  const auto connections = look(reader, source);
  REQUIRE(connections);
  Counts counts;
  for (const auto& each : connections->half_open)
    counts[address_label(each.listener) + " " + std::to_string(each.listener.port)] = each.count;
  return counts;
}

}  // namespace

TEST_CASE("states per port of an IPv4 listener are what ss says") {
  check_crowd("127.0.0.1", {"127.0.0.1"}, {});
}

TEST_CASE("states per port of an IPv6 listener are what ss says") {
  check_crowd("::1", {"::1"}, {.v6_only = true});
}

TEST_CASE("states per port of a dual-stack listener are what ss says") {
  check_crowd("::", {"127.0.0.1", "::1"}, {});
}

TEST_CASE("half-open connections belong to the listener that answered the SYN") {
  FreshNetns netns;
  add_link_to_nowhere();
  const ListenOptions shared{.reuse_port = true};
  const auto wildcard = listen_on("0.0.0.0", 7001, shared);
  const auto exact = listen_on("192.0.2.1", 7001, shared);
  const auto dual_stack = listen_on("::", 7002);
  const auto on_device = listen_on("0.0.0.0", 7003, {.device = "nowhere"});
  run("ip address add 192.0.2.2/24 dev nowhere");
  std::uint16_t from_port = 1000;
  const auto send = [&](int count, const std::string& from, const std::string& to, std::uint16_t port) {
    for (int each = 0; each < count; ++each) send_syn(from, ++from_port, to, port);
  };
  send(3, "192.0.2.9", "192.0.2.1", 7001);
  send(2, "192.0.2.9", "192.0.2.2", 7001);
  send(4, "192.0.2.9", "192.0.2.1", 7002);
  send(1, "2001:db8::9", "2001:db8::1", 7002);
  send(2, "192.0.2.9", "192.0.2.1", 7003);

  ConnectionsReader reader;
  const auto source = live_source();
  const auto device = "0.0.0.0%" + std::to_string(::if_nametoindex("nowhere")) + " 7003";
  const Counts expected = {{"0.0.0.0 7001", 2}, {"192.0.2.1 7001", 3}, {":: 7002", 5}, {device, 2}};
  check_becomes([&] { return half_open(reader, *source); }, expected);
  CHECK(ss_in_state("SYN-RECV").size() == 12);
  const auto [ours_now, oracle] = at_one_moment([&] { return ours(reader, *source); }, theirs);
  CHECK(lines(ours_now) == lines(oracle));
}

TEST_CASE("a CLOSE_WAIT socket has the inode and cookie that ss tells, and its age grows") {
  FreshNetns netns;
  const auto listener = listen_on("127.0.0.1", 0);
  const auto client = connect_to("127.0.0.1", port_of(listener));
  const auto accepted = accept_from(listener);
  REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
  ConnectionsReader reader;
  const auto source = live_source();
  Result<Connections> first;
  wait_until("CLOSE_WAIT", [&] { return (first = look(reader, *source)) && first->close_wait.size() == 1; });
  const auto again = look(reader, *source);
  REQUIRE(again);
  REQUIRE(again->close_wait.size() == 1);
  const auto& close_wait = again->close_wait.front();
  CHECK(close_wait.first_seen == first->close_wait.front().first_seen);
  CHECK(close_wait.server);
  CHECK(close_wait.port == port_of(listener));
  const auto oracle = ss_in_state("CLOSE-WAIT");
  REQUIRE(oracle.size() == 1);
  CHECK(close_wait.inode == oracle.front().inode);
  CHECK(close_wait.cookie == oracle.front().cookie);
}

TEST_CASE("the local ports of a destination are as many as ss shows, those in TIME_WAIT too") {
  FreshNetns netns;
  const auto busy = listen_on("127.0.0.1", 0), other = listen_on("127.0.0.1", 0);
  std::vector<FileDescriptor> held;
  for (int each = 0; each < 30; ++each) held.push_back(connect_to("127.0.0.1", port_of(busy)));
  held.push_back(connect_to("127.0.0.1", port_of(other)));
  for (int each = 0; each < 10; ++each) held.erase(held.begin());
  for (int each = 0; each < 10; ++each) {
    const auto accepted = accept_from(busy);
  }
  ConnectionsReader reader;
  const auto source = live_source();
  wait_until("TIME_WAIT", [&] { return ss_in_state("TIME-WAIT").size() == 10; });
  const auto connections = look(reader, *source);
  REQUIRE(connections);
  REQUIRE(connections->destinations.size() == 2);
  CHECK(connections->destinations[0].port == port_of(busy));
  CHECK(to_string(connections->destinations[0].destination) == "127.0.0.1");
  CHECK(connections->destinations[0].local_ports == 30);
  CHECK(connections->destinations[1].local_ports == 1);
}

TEST_CASE("connections that are accepted or reset have left the queue, the others stay in it") {
  FreshNetns netns;
  const auto listener = listen_on("127.0.0.1", 0);
  std::vector<FileDescriptor> clients;
  for (int each = 0; each < 8; ++each) clients.push_back(connect_to("127.0.0.1", port_of(listener)));
  wait_until("eight connections in the queue", [&] { return ss("-l").at(0).receive_queue == 8; });
  ConnectionsReader reader;
  const auto source = live_source();
  const auto server = [&] {
    const auto connections = look(reader, *source);
    REQUIRE(connections);
    return connections->server.at(0);
  };
  CHECK_FALSE(server().unaccepted_left);
  CHECK(server().unaccepted_left == 0U);
  std::vector<FileDescriptor> accepted;
  for (int each = 0; each < 3; ++each) accepted.push_back(accept_from(listener));
  clients.pop_back();  // gives up: its connection waits on, in CLOSE_WAIT
  clients.push_back(connect_to("127.0.0.1", port_of(listener)));
  wait_until("six connections in the queue", [&] { return ss("-l").at(0).receive_queue == 6; });
  const auto after = server();
  CHECK(after.unaccepted_left == 3U);
  CHECK(after.unaccepted == 6);
  CHECK(server().unaccepted_left == 0U);
}

TEST_CASE("a destination that does not answer is told with the number of SYNs that wait for it") {
  FreshNetns netns;
  add_link_to_nowhere();
  const auto listener = listen_on("127.0.0.1", 0);
  std::vector<FileDescriptor> held;
  for (int each = 0; each < 20; ++each) held.push_back(connect_to("192.0.2.9", 5432));
  held.push_back(connect_to("2001:db8::9", 443));
  held.push_back(connect_to("127.0.0.1", port_of(listener)));
  ConnectionsReader reader;
  const auto source = live_source();
  const auto connections = look(reader, *source);
  REQUIRE(connections);
  REQUIRE(connections->unanswered.size() == 2);
  CHECK(to_string(connections->unanswered[0].source) == "192.0.2.1");
  CHECK(to_string(connections->unanswered[0].destination) == "192.0.2.9");
  CHECK(connections->unanswered[0].port == 5432);
  CHECK(connections->unanswered[0].local_ports == 20);
  CHECK(to_string(connections->unanswered[1].destination) == "2001:db8::9");
  CHECK(connections->unanswered[1].local_ports == 1);
}

TEST_CASE("an orphan in FIN_WAIT2 is told apart from a connection that a process holds") {
  FreshNetns netns;
  const auto listener = listen_on("127.0.0.1", 0);
  const auto half_closed = connect_to("127.0.0.1", port_of(listener));
  auto closed = connect_to("127.0.0.1", port_of(listener));
  std::vector<FileDescriptor> accepted;
  for (int each = 0; each < 2; ++each) accepted.push_back(accept_from(listener));
  REQUIRE(::shutdown(half_closed.get(), SHUT_WR) == 0);
  closed = FileDescriptor();
  ConnectionsReader reader;
  const auto source = live_source();
  Result<Connections> connections;
  wait_until("two connections in FIN_WAIT2", [&] {
    connections = look(reader, *source);
    return connections && connections->client.at(0).count(TcpState::fin_wait2) == 2;
  });
  CHECK(connections->client.at(0).fin_wait2_orphaned == 1);
}

TEST_CASE("local ports that two destinations share are counted once, their connections each") {
  FreshNetns netns;
  run("sysctl -qw net.ipv4.ip_local_port_range='40000 40009'");
  const auto first = listen_on("127.0.0.1", 0), second = listen_on("127.0.0.1", 0);
  std::vector<FileDescriptor> clients;
  for (int each = 0; each < 8; ++each)
    for (const auto* server : {&first, &second}) clients.push_back(connect_to("127.0.0.1", port_of(*server)));
  ConnectionsReader reader;
  const auto source = live_source();
  Snapshot known{.namespaces = {NetnsView{.name = "test"}}};
  known.namespaces[0].settings.value = std::make_shared<const Settings>(
      Settings{.sysctls = {{"net.ipv4.ip_local_port_range", {40000, 40009}, "40000\t40009"}}});
  const auto connections = reader({.source = *source, .now = now(), .previous = known});
  REQUIRE(connections);
  CHECK(connections->ephemeral_connections == 16);
  CHECK(connections->ephemeral_ports_used <= 10);
  CHECK(connections->ephemeral_ports_used >= 8);
}

TEST_CASE(
    "a dump of some ports shows theirs alone, of both families, and for how long each connection waits") {
  FreshNetns netns;
  std::vector<FileDescriptor> held;
  std::vector<std::uint16_t> ports;
  for (const auto* at : {"127.0.0.1", "::1", "127.0.0.1", "127.0.0.1"}) {
    held.push_back(listen_on(at, 0));
    ports.push_back(port_of(held.back()));
    held.push_back(connect_to(at, ports.back()));
  }
  ports.pop_back();  // the fourth is not asked for
  const auto source = live_source();
  const SocketDump request{
      .states = state_bit(TcpState::established), .tcp_info = true, .local_ports = ports};
  const auto waits = [&] {
    std::map<std::uint16_t, std::chrono::milliseconds> by_port;
    REQUIRE(source->dump_sockets(request, [&](std::span<const std::byte> payload) {
      const auto socket = parse_inet_diag(payload);
      REQUIRE(socket);
      const auto last_sent = parse_last_data_sent(payload);
      REQUIRE(last_sent);
      by_port[socket->source_port] = *last_sent;
    }));
    return by_port;
  };
  const auto all_wait = [&] {
    const auto seen = waits();
    return std::ranges::all_of(ports, [&](auto port) {
      return seen.contains(port) && seen.at(port) >= std::chrono::milliseconds(300);
    });
  };
  CHECK(holds_within(std::chrono::seconds(10), all_wait));
  CHECK(waits().size() == 3);
}
