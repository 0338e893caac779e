// SPDX-License-Identifier: Apache-2.0
#include "collectors/listeners.h"

#include "core/facts/socket_usage.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart = TimePoint(1000s);

struct GroupMember {
  std::uint64_t cookie;
  std::uint32_t length = 0, limit = 0;
  std::optional<std::uint32_t> drops = 0;
};

std::string listening(const std::string& at, std::uint16_t port, const GroupMember& member) {
  return to_message({.state = TcpState::listen,
                     .source = address(at),
                     .destination = {.v6 = address(at).v6},
                     .source_port = port,
                     .cookie = member.cookie,
                     .receive_queue = member.length,
                     .send_queue = member.limit,
                     .drops = member.drops});
}

// A reader and the kernel that it looks at.
class Looks {
 public:
  FakeSource source;

  Result<Listeners> at(TimePoint now) {
    return reader_({.source = source, .now = now, .previous = snapshot_});
  }
  // One look at the members of 0.0.0.0:80.
  Listener members(TimePoint now, const std::vector<GroupMember>& members) {
    source.messages.clear();
    for (const auto& member : members) source.messages.push_back(listening("0.0.0.0", 80, member));
    const auto listeners = at(now);
    REQUIRE(listeners);
    REQUIRE(listeners->listeners.size() == 1);
    return listeners->listeners.front();
  }

 private:
  Snapshot snapshot_;
  ListenersReader reader_;
};

std::size_t bucket_of(const Listener& listener) {
  const auto& samples = listener.fill.samples;
  return static_cast<std::size_t>(std::find(samples.begin(), samples.end(), 1U) - samples.begin());
}

}  // namespace

TEST_CASE("listeners are told apart by address, port and device, and ordered by port") {
  Looks looks;
  auto on_device = DiagSocket{.state = TcpState::listen,
                              .source = address("0.0.0.0"),
                              .source_port = 80,
                              .interface = 2,
                              .cookie = 4};
  looks.source.messages = {listening("::1", 443, {1, 2, 128}), listening("0.0.0.0", 80, {2}),
                           listening("127.0.0.1", 80, {3}), to_message(on_device)};
  const auto listeners = looks.at(kStart);
  REQUIRE(listeners);
  REQUIRE(listeners->listeners.size() == 4);
  std::vector<std::string> labels;
  for (const auto& each : listeners->listeners)
    labels.push_back(address_label(each.endpoint) + " " + std::to_string(each.endpoint.port));
  CHECK(labels == std::vector<std::string>{"0.0.0.0 80", "0.0.0.0%2 80", "127.0.0.1 80", "::1 443"});
  CHECK(listeners->listeners[3].sockets[0].queue_length == 2);
  CHECK(listeners->listeners[3].sockets[0].queue_limit == 128);
  CHECK(listeners->cut == 0);
}

TEST_CASE("a namespace without listeners is known and empty") {
  Looks looks;
  const auto listeners = looks.at(kStart);
  REQUIRE(listeners);
  CHECK(listeners->listeners.empty());
}

TEST_CASE("the members of a reuseport group are one listener, each with its own queue") {
  Looks looks;
  const auto listener = looks.members(kStart, {{9, 1, 1}, {7, 0, 1}, {8, 2, 8}});
  REQUIRE(listener.sockets.size() == 3);
  CHECK(listener.sockets[0].cookie == 7);
  CHECK(listener.sockets[1].cookie == 8);
  CHECK(listener.sockets[2].cookie == 9);
  CHECK(listener.fullest().cookie == 9);  // 1 of 2 is fuller than 2 of 9
  CHECK(listener.peak_length == 2);
}

TEST_CASE("a socket that a dump shows twice counts once") {
  Looks looks;
  const auto listener = looks.members(kStart, {{7, 1, 1, 5}, {8}, {7, 1, 1, 5}});
  CHECK(listener.sockets.size() == 2);
  CHECK(listener.drops == 5);
}

TEST_CASE("drops of a group never decrease when members close and open") {
  Looks looks;
  CHECK(looks.members(kStart, {{1, 0, 0, 10}, {2, 0, 0, 5}}).drops == 15);
  CHECK(looks.members(kStart + 1s, {{1, 0, 0, 12}}).drops == 17);
  CHECK(looks.members(kStart + 2s, {{1, 0, 0, 12}, {3, 0, 0, 0}}).drops == 17);
  CHECK(looks.members(kStart + 3s, {{3, 0, 0, 4}, {4, 0, 0, 1}}).drops == 22);
}

TEST_CASE("drops go on counting when the kernel's 32 bits wrap") {
  Looks looks;
  CHECK(looks.members(kStart, {{1, 0, 0, 0xfffffff0}}).drops == 0xfffffff0);
  CHECK(looks.members(kStart + 1s, {{1, 0, 0, 0x10}}).drops == std::uint64_t{0x100000010});
}

TEST_CASE("drops are empty while the kernel does not tell them, and not zero") {
  Looks looks;
  CHECK_FALSE(looks.members(kStart, {{1, 0, 0, std::nullopt}}).drops.has_value());
}

TEST_CASE("a member that one dump missed does not bring its drops a second time") {
  Looks looks;
  CHECK(looks.members(kStart, {{1, 0, 0, 1000}, {2, 0, 0, 0}}).drops == 1000);
  CHECK(looks.members(kStart + 100ms, {{2, 0, 0, 0}}).drops == 1000);
  CHECK(looks.members(kStart + 200ms, {{1, 0, 0, 1001}, {2, 0, 0, 0}}).drops == 1001);
}

TEST_CASE("the peak is the longest queue of any member within 60 seconds") {
  Looks looks;
  CHECK(looks.members(kStart, {{1, 3, 128}, {2, 7, 128}}).peak_length == 7);
  CHECK(looks.members(kStart + 500ms, {{1, 9, 128}, {2, 0, 128}}).peak_length == 9);
  CHECK(looks.members(kStart + 1s, {{1, 4, 128}}).peak_length == 9);
  CHECK(looks.members(kStart + 59s, {{1, 0, 128}}).peak_length == 9);
  CHECK(looks.members(kStart + 60s, {{1, 0, 128}}).peak_length == 4);
  CHECK(looks.members(kStart + 61s, {{1, 0, 128}}).peak_length == 0);
}

TEST_CASE("a peak is forgotten after a gap of any length") {
  Looks looks;
  CHECK(looks.members(kStart, {{1, 9, 128}}).peak_length == 9);
  CHECK(looks.members(kStart + 3600s, {{1, 1, 128}}).peak_length == 1);
}

TEST_CASE("each look adds the fullest member's share to the histogram") {
  Looks looks;
  looks.members(kStart, {{1, 0, 3}, {2, 1, 3}});                          // 1 of 4
  const auto listener = looks.members(kStart + 100ms, {{1, 4, 3}, {2}});  // all of 4
  CHECK(listener.fill.samples == decltype(listener.fill.samples){0, 0, 1, 0, 0, 0, 0, 1});
  CHECK(listener.fill.sum == 1.25);
}

TEST_CASE("a fill on a bucket's bound belongs to that bucket, and full is the last one") {
  const auto bucket = [](std::uint32_t length, std::uint32_t limit) {
    return bucket_of(Looks().members(kStart, {{1, length, limit}}));
  };
  CHECK(bucket(0, 127) == 0);
  CHECK(bucket(1, 127) == 1);
  CHECK(bucket(1, 3) == 2);    // 0.25
  CHECK(bucket(2, 3) == 3);    // 0.5
  CHECK(bucket(3, 3) == 4);    // 0.75
  CHECK(bucket(9, 9) == 5);    // 0.9
  CHECK(bucket(99, 99) == 6);  // 0.99
  CHECK(bucket(100, 99) == 7);
}

TEST_CASE("listen(0) holds one connection and is full with it") {
  CHECK(bucket_of(Looks().members(kStart, {{1, 0, 0}})) == 0);
  CHECK(bucket_of(Looks().members(kStart, {{1, 1, 0}})) == 7);
}

TEST_CASE("a queue longer than its limit, as after a second listen(), is full and no more") {
  const auto listener = Looks().members(kStart, {{1, 7, 2}});
  CHECK(bucket_of(listener) == 7);
  CHECK(listener.fill.sum == 1);
  CHECK(bucket_of(Looks().members(kStart, {{1, 0xffffffff, 0xffffffff}})) == 7);
}

TEST_CASE("a failed dump is the section's error and leaves the history as it was") {
  Looks looks;
  looks.members(kStart, {{1, 5, 128, 10}});
  looks.source.dump_outcome = unexpected(Errc::timed_out, "sock_diag: too slow");
  looks.source.messages = {listening("0.0.0.0", 80, {1, 128, 128, 500})};
  const auto failed = looks.at(kStart + 1s);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::timed_out);
  looks.source.dump_outcome = {};
  const auto listener = looks.members(kStart + 2s, {{1, 0, 128, 11}});
  CHECK(listener.drops == 11);
  CHECK(listener.peak_length == 5);
  CHECK(listener.fill.samples[0] == 1);
}

TEST_CASE("one message that cannot be read makes the whole look an error") {
  Looks looks;
  looks.source.messages = {listening("0.0.0.0", 80, {1}), "garbage", listening("0.0.0.0", 81, {2})};
  const auto failed = looks.at(kStart);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::malformed);
}

TEST_CASE("the history ends with the listener, and with its namespace") {
  Looks looks;
  SECTION("closed") {
    looks.members(kStart, {{1, 5, 128, 10}});
    looks.source.messages.clear();
    REQUIRE(looks.at(kStart + 1s));
    REQUIRE(looks.at(kStart + 1100ms));
  }
  SECTION("in whose place there is another one") {
    looks.members(kStart, {{1, 5, 128, 10}});
    ++looks.source.netns_generation;
  }
  SECTION("missed once and then in whose place there is another one") {
    looks.members(kStart, {{1, 5, 128, 10}});
    looks.source.messages.clear();
    REQUIRE(looks.at(kStart + 1s));
    ++looks.source.netns_generation;
  }
  SECTION("vanished: cookies of another namespace are another's") {
    looks.members(kStart, {{1, 5, 128, 10}});
    looks.source.dump_outcome = unexpected(Errc::no_netns, "network namespace /run/netns/a: gone");
    REQUIRE_FALSE(looks.at(kStart + 1s));
    looks.source.dump_outcome = {};
  }
  const auto listener = looks.members(kStart + 2s, {{1, 0, 128, 3}});
  CHECK(listener.drops == 3);
  CHECK(listener.peak_length == 0);
}

TEST_CASE("a listener that one dump missed keeps its history") {
  Looks looks;
  looks.members(kStart, {{1, 5, 128, 10}, {2, 0, 128, 3}});
  looks.members(kStart + 100ms, {{1, 0, 128, 10}});
  looks.source.messages.clear();
  CHECK(looks.at(kStart + 200ms).value().listeners.empty());
  const auto listener = looks.members(kStart + 300ms, {{1, 0, 128, 11}});
  CHECK(listener.drops == 14);
  CHECK(listener.peak_length == 5);
  CHECK(listener.fill.samples[0] + listener.fill.samples[1] == 3);
}

TEST_CASE("sockets in other states are no listeners, whatever the dump shows") {
  Looks looks;
  looks.source.messages = {to_message({.state = TcpState::established, .source = address("0.0.0.0")})};
  CHECK(looks.at(kStart).value().listeners.empty());
}

TEST_CASE("listening sockets beyond the bound are counted, not kept") {
  Looks looks;
  for (std::uint64_t cookie = 1; cookie <= ListenersReader::kMaxSockets + 3; ++cookie)
    looks.source.messages.push_back(listening("0.0.0.0", 80, {cookie}));
  const auto listeners = looks.at(kStart);
  REQUIRE(listeners);
  CHECK(listeners->listeners.at(0).sockets.size() == ListenersReader::kMaxSockets);
  CHECK(listeners->cut == 3);
}

namespace {

/// A host where one user has more listeners than are kept, and another has one.
struct CrowdedHost : Looks {
  void look_like(std::uint32_t length, std::uint32_t drops) {
    source.messages.clear();
    for (std::uint32_t i = 0; i < ListenersReader::kMaxSockets + 100; ++i)
      add(1000, static_cast<std::uint16_t>(1000 + i), {i + 1, 0, 128});
    add(33, 60000, {100'000, length, 128, drops});
  }
  void add(std::uint32_t user, std::uint16_t port, const GroupMember& member) {
    source.messages.push_back(to_message({.state = TcpState::listen,
                                          .source = address("127.0.0.1"),
                                          .source_port = port,
                                          .cookie = member.cookie,
                                          .receive_queue = member.length,
                                          .send_queue = member.limit,
                                          .uid = user,
                                          .drops = member.drops}));
  }
};

const Listener* at_port(const Listeners& listeners, std::uint16_t port) {
  const auto found = std::ranges::find(listeners.listeners, port,
                                       [](const Listener& listener) { return listener.endpoint.port; });
  return found == listeners.listeners.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("very many listeners of one user do not push out another's, whichever port it has") {
  CrowdedHost host;
  host.look_like(0, 0);
  const auto listeners = host.at(kStart);
  REQUIRE(listeners);
  CHECK(at_port(*listeners, 60000) != nullptr);
  CHECK(listeners->cut == 101);
  CHECK(listeners->waited_on_cut == 0);
}

TEST_CASE("a listener with connections in its queue is kept before all that have none, and a while longer") {
  CrowdedHost host;
  host.look_like(0, 0);
  for (std::uint32_t i = 0; i < ListenersReader::kMaxSockets; ++i)  // a second user takes all that is left
    host.add(33, static_cast<std::uint16_t>(20'000 + i), {200'000 + i, 0, 128});
  host.add(33, 60001, {300'000, 3, 128});
  const auto listeners = host.at(kStart);
  REQUIRE(listeners);
  CHECK(at_port(*listeners, 60001) != nullptr);
  host.source.messages.pop_back();
  host.add(33, 60001, {300'000, 0, 128});
  const auto later = host.at(kStart + 30s);
  REQUIRE(later);
  CHECK(at_port(*later, 60001) != nullptr);
}

TEST_CASE("what a listener dropped before it was kept is no news") {
  CrowdedHost host;
  for (std::uint32_t i = 0; i < ListenersReader::kMaxSockets + 100; ++i)
    host.add(1000, static_cast<std::uint16_t>(1000 + i), {i + 1, 1, 128});
  host.add(1000, 60000, {100'000, 0, 128, 500});
  const auto before = host.at(kStart);
  REQUIRE(before);
  CHECK(at_port(*before, 60000) == nullptr);
  CHECK(before->waited_on_cut == 100);
  host.source.messages.pop_back();
  for (std::uint32_t i = 0; i < 200; ++i) host.source.messages.pop_back();
  host.add(1000, 60000, {100'000, 1, 128, 502});
  const auto listeners = host.at(kStart + 100ms);
  REQUIRE(listeners);
  REQUIRE(at_port(*listeners, 60000) != nullptr);
  CHECK(at_port(*listeners, 60000)->drops == 0U);
}

TEST_CASE("of more sockets than can be remembered those with connections in their queue are") {
  SeenListeners seen;
  for (std::uint32_t i = 0; i < SeenListeners::kMost; ++i) seen.add({.socket = {.cookie = i}});
  seen.add({.endpoint = {.port = 7}, .socket = {.cookie = 1U << 20U, .queue_length = 1}});
  seen.add({.endpoint = {.port = 8}, .socket = {.cookie = 1U << 21U}});
  CHECK(seen.cut() == 2);
  CHECK(seen.waited_on_cut() == 0);
  CHECK(seen.in_groups().size() == SeenListeners::kMost);
  CHECK(seen.in_groups().back().endpoint.port == 7);
}

TEST_CASE(
    "runs of looks that find a queue full, not empty, or no shorter are followed to the tenth of a second") {
  Looks looks;
  auto at = kStart;
  const auto look = [&](std::uint32_t length) {
    at += 100ms;
    return looks.members(at, {{1, length, 4}});
  };
  CHECK_FALSE(look(0).standing);
  const auto begun = at + 100ms;
  for (int i = 0; i < 10; ++i) CHECK_FALSE(look(3).standing);  // not a second yet
  const auto standing = look(3).standing;
  CHECK(standing == QueueRun{begun, at});
  const auto longer = look(5).still;  // nothing was taken
  CHECK(longer == QueueRun{begun, at});
  const auto full = at;
  for (int i = 0; i < 12; ++i) look(5);
  const auto last_full = at;
  const auto shorter = look(4);
  CHECK(shorter.full == QueueRun{full, last_full});
  CHECK(shorter.standing == QueueRun{begun, at});
  CHECK(shorter.still == QueueRun{begun, last_full});  // it is over
  const auto again = at;
  for (int i = 0; i < 11; ++i) look(4);
  const auto still = look(4).still;
  CHECK(still == QueueRun{again, at});
  CHECK(look(0).full == QueueRun{full, last_full});
}

TEST_CASE("a run ends with the server it belongs to, and one that any member of a group is served in") {
  Looks looks;
  auto at = kStart;
  const auto look = [&](const std::vector<GroupMember>& members) {
    at += 100ms;
    return looks.members(at, members);
  };
  for (int i = 0; i < 12; ++i) look({{1, 3, 4}, {2, 1, 4}});
  CHECK(look({{1, 3, 4}, {2, 1, 4}}).still);
  const auto before = at;
  CHECK(look({{1, 3, 4}, {2, 0, 4}}).still->until == before);
  for (int i = 0; i < 12; ++i) look({{1, 3, 4}, {2, 0, 4}});
  CHECK(look({{1, 3, 4}, {2, 0, 4}}).still->until == at);
  const auto another = look({{9, 3, 4}});
  CHECK_FALSE(another.still);
  CHECK_FALSE(another.standing);
}

namespace {

// The kernel of a container in which nothing moves, with the counters that say so.
struct Container {
  FakeSource source;
  Snapshot snapshot;
  ListenersReader reader;
  TimePoint now = kStart;

  Container() {
    snapshot.namespaces.resize(1);
    move();
    use(2);
    show(0);
  }
  NetnsView& netns() { return snapshot.namespaces.front(); }
  void move() { netns().tcp = {std::make_shared<const TcpCounters>(), now}; }
  void use(std::uint64_t sockets) {
    netns().sockets = {std::make_shared<const SocketUsage>(
                           SocketUsage{.tcp_in_use = sockets, .tcp6_in_use = 1, .time_wait = 3}),
                       now};
  }
  void show(std::uint32_t waiting) { source.messages = {listening("0.0.0.0", 80, {1, waiting, 5})}; }
  Reading reading() { return {.source = source, .now = now, .previous = snapshot}; }
  Listeners look() { return reader(reading()).value(); }
  bool holds() { return reader.still_holds(reading()).has_value(); }
};

}  // namespace

TEST_CASE("where nothing moves and nobody waits, what the latest dump showed still holds") {
  Container container;
  CHECK_FALSE(container.holds());
  container.look();
  CHECK(container.holds());

  container.now += 2s;
  container.netns().tcp.read_at = container.netns().sockets.read_at = container.now;  // again, and the same
  CHECK(container.reader.still_holds(container.reading()) == container.now);
}

TEST_CASE("between two looks at the counters the sockets in use tell whether anybody can have come") {
  Container container;
  container.look();
  container.now += 100ms;
  CHECK_FALSE(container.holds());  // they cannot be read
  const auto in_use = [&](int ipv4, int ipv6, int time_wait) {
    container.source.files["/proc/net/sockstat"] = "TCP: inuse " + std::to_string(ipv4) + " orphan 9 tw " +
                                                   std::to_string(time_wait) + " alloc 9 mem 9\n";
    container.source.files["/proc/net/sockstat6"] = "TCP6: inuse " + std::to_string(ipv6) + "\n";
    return container.holds();
  };
  CHECK(in_use(2, 1, 3));
  CHECK_FALSE(in_use(3, 1, 3));
  CHECK_FALSE(in_use(2, 2, 3));
  CHECK_FALSE(in_use(2, 1, 4));
  CHECK(in_use(2, 1, 3));
  CHECK(container.reader.still_holds(container.reading()) == container.now);

  // A connection that went before this dump makes no room for one that comes after it.
  in_use(1, 1, 3);
  auto reading = container.reading();
  reading.may_rest = true;
  CHECK(container.reader(reading));
  CHECK(container.reader.still_holds(container.reading()) == std::nullopt);  // other than the counters said
}

TEST_CASE("as soon as anything moves, listeners are dumped again") {
  Container container;
  container.look();
  container.move();  // a segment
  CHECK_FALSE(container.holds());
  container.look();
  CHECK(container.holds());
  container.use(3);  // a listener more
  CHECK_FALSE(container.holds());
  container.look();
  container.netns().tcp.value = unexpected(Errc::denied, "no");
  CHECK_FALSE(container.holds());
  container.look();
  CHECK_FALSE(container.holds());  // nothing tells whether anything moves
}

TEST_CASE("a queue that is not empty, or was not within a minute, is looked at") {
  Container container;
  container.show(1);
  container.look();
  CHECK_FALSE(container.holds());
  container.show(0);
  container.now += 30s;
  container.look();
  CHECK_FALSE(container.holds());
  container.now += 31s;
  container.look();
  container.netns().tcp.read_at = container.netns().sockets.read_at = container.now;
  CHECK(container.holds());
}

TEST_CASE("a dump that shows less than the one before, or nothing, is repeated") {
  Container container;
  container.source.messages.push_back(listening("0.0.0.0", 81, {2, 0, 5}));
  container.look();
  container.source.messages.pop_back();
  container.look();
  CHECK_FALSE(container.holds());
  container.look();
  CHECK(container.holds());
  container.source.dump_outcome = unexpected(Errc::timed_out, "no");
  CHECK_FALSE(container.reader(container.reading()));
  CHECK_FALSE(container.holds());
}

TEST_CASE("listeners are dumped once a minute in any case, and the looks in between found empty queues") {
  Container container;
  container.look();
  int looks = 0;
  for (; container.holds(); ++looks)
    container.netns().tcp.read_at = container.netns().sockets.read_at = container.now += 2s;
  CHECK(looks == 30);
  const auto listeners = container.look();
  CHECK(listeners.listeners.front().fill.samples.front() == 32U);
  CHECK(container.look().listeners.front().fill.samples.front() == 33U);
}
