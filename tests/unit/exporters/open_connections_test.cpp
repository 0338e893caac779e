// SPDX-License-Identifier: Apache-2.0
#include "exporters/open_connections.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

/// Two sockets that are connected with one another; the first is the server's.
struct Pair {
  int fds[2] = {-1, -1};

  Pair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    close(fds[0]);
    close(fds[1]);
  }
  [[nodiscard]] bool is_shut_down() const {
    char byte;
    return recv(fds[1], &byte, 1, MSG_DONTWAIT) == 0;
  }
};

constexpr TimePoint kStart{};

/// As the server takes one over.
void take(OpenConnections& connections, const Pair& pair, const char* address = "10.0.0.1") {
  REQUIRE(connections.arrives(pair.fds[0], address) == OpenConnections::Arrival::taken);
  connections.opened(pair.fds[0]);
}

/// Makes an address known: one of its connections gets what it asks for.
void serve_once(OpenConnections& connections, const char* address) {
  const Pair pair;
  take(connections, pair, address);
  connections.requested(pair.fds[0]);
  connections.answered(pair.fds[0], true);
  connections.closed(pair.fds[0]);
}

}  // namespace

TEST_CASE("a connection may take ten seconds for its request, and again for its answer") {
  OpenConnections connections(100);
  const Pair pair;
  const int fd = pair.fds[0];
  take(connections, pair);
  CHECK(connections.drop_slow(kStart).count == 0);
  CHECK(connections.drop_slow(kStart + 9s).count == 0);
  connections.requested(fd);
  CHECK(connections.drop_slow(kStart + 10s).count == 0);
  CHECK(connections.drop_slow(kStart + 19s).count == 0);
  connections.answered(fd, true);
  CHECK(connections.drop_slow(kStart + 20s).count == 0);
  CHECK(connections.drop_slow(kStart + 29s).count == 0);
  CHECK_FALSE(pair.is_shut_down());
  CHECK(connections.drop_slow(kStart + 30s).count == 1);
  CHECK(pair.is_shut_down());
}

TEST_CASE("a connection that takes its answer too slowly is dropped, once") {
  OpenConnections connections(100);
  const Pair pair;
  take(connections, pair);
  connections.requested(pair.fds[0]);
  connections.drop_slow(kStart);
  CHECK(connections.drop_slow(kStart + 10s).count == 1);
  CHECK(connections.drop_slow(kStart + 20s).count == 0);
  CHECK(connections.size() == 1);
  connections.closed(pair.fds[0]);
  CHECK(connections.size() == 0);
}

TEST_CASE("when the server is full, a newcomer takes the place of the oldest without a whole request") {
  OpenConnections connections(3);
  const Pair answering, oldest, younger, newcomer;
  take(connections, answering, "10.0.0.1");
  connections.requested(answering.fds[0]);
  take(connections, oldest, "10.0.0.2");
  take(connections, younger, "10.0.0.3");
  take(connections, newcomer, "10.0.0.4");
  CHECK(oldest.is_shut_down());
  CHECK_FALSE(answering.is_shut_down());
  CHECK_FALSE(younger.is_shut_down());
  const auto dropped = connections.drop_slow(kStart);
  CHECK(dropped.count == 1);
  CHECK(dropped.peer == "10.0.0.2");
}

TEST_CASE(
    "when all are busy with answers a newcomer is refused, unless one of them has been at it for five "
    "seconds") {
  OpenConnections connections(1);
  const Pair answering, newcomer;
  take(connections, answering);
  connections.requested(answering.fds[0]);
  connections.drop_slow(kStart);
  connections.drop_slow(kStart + 4s);
  CHECK(connections.arrives(newcomer.fds[0], "10.0.0.2") == OpenConnections::Arrival::full);
  connections.drop_slow(kStart + 5s);
  CHECK(connections.arrives(newcomer.fds[0], "10.0.0.2") == OpenConnections::Arrival::taken);
  CHECK(answering.is_shut_down());
}

TEST_CASE("an address that was served keeps its idle connections, and the reserve, from strangers") {
  OpenConnections connections(8);
  serve_once(connections, "10.0.0.1");
  const Pair known, known_later;
  take(connections, known, "10.0.0.1");
  const Pair strangers[8];
  for (const auto& stranger : strangers) take(connections, stranger, "10.0.0.2");
  CHECK_FALSE(known.is_shut_down());
  CHECK(strangers[0].is_shut_down());  // seven of eight are for all
  CHECK(strangers[1].is_shut_down());
  CHECK_FALSE(strangers[2].is_shut_down());
  take(connections, known_later, "10.0.0.1");
  CHECK_FALSE(strangers[2].is_shut_down());
}

TEST_CASE("known addresses that leave many connections idle do not shut strangers out") {
  OpenConnections connections(8);
  const Pair idle[8];
  for (const auto& pair : idle) {
    take(connections, pair, &pair == &idle[0] ? "10.0.0.1" : "10.0.0.2");
    connections.requested(pair.fds[0]);
    connections.answered(pair.fds[0], true);
  }
  const Pair stranger, next;
  take(connections, stranger, "10.0.0.3");
  CHECK_FALSE(idle[0].is_shut_down());  // its address has only one
  CHECK(idle[1].is_shut_down());
  connections.requested(stranger.fds[0]);
  CHECK(connections.arrives(next.fds[0], "10.0.0.4") == OpenConnections::Arrival::full);
}

TEST_CASE("when all are busy with answers, who has been known for longest gets in, and nobody else") {
  OpenConnections connections(2);
  serve_once(connections, "10.0.0.1");
  serve_once(connections, "10.0.0.2");
  const Pair first, second, newcomer;
  take(connections, first, "10.0.0.2");
  take(connections, second, "10.0.0.3");
  for (const auto* pair : {&first, &second}) connections.requested(pair->fds[0]);
  CHECK(connections.arrives(newcomer.fds[0], "10.0.0.4") == OpenConnections::Arrival::full);
  take(connections, newcomer, "10.0.0.1");
  CHECK(first.is_shut_down());
  connections.requested(newcomer.fds[0]);
  const Pair last;
  take(connections, last, "10.0.0.2");
  CHECK(second.is_shut_down());
  connections.requested(last.fds[0]);
  const Pair refused;
  CHECK(connections.arrives(refused.fds[0], "10.0.0.2") == OpenConnections::Arrival::full);
  CHECK_FALSE(newcomer.is_shut_down());
}

TEST_CASE("who was known and is slow is not known any more") {
  OpenConnections connections(1);
  serve_once(connections, "10.0.0.1");
  const Pair slow, stranger;
  take(connections, slow, "10.0.0.1");
  CHECK(connections.arrives(stranger.fds[0], "10.0.0.2") == OpenConnections::Arrival::full);
  connections.drop_slow(kStart);
  CHECK(connections.drop_slow(kStart + 10s).count == 1);
  connections.closed(slow.fds[0]);
  const Pair again;
  take(connections, again, "10.0.0.1");
  CHECK(connections.arrives(stranger.fds[0], "10.0.0.2") == OpenConnections::Arrival::taken);
  CHECK(again.is_shut_down());
}

TEST_CASE("whose client has gone without a whole request goes as soon as that is sure") {
  OpenConnections connections(100);
  const Pair gone, answering;
  for (const auto* pair : {&gone, &answering}) {
    take(connections, *pair);
    REQUIRE(shutdown(pair->fds[1], SHUT_WR) == 0);
  }
  connections.requested(answering.fds[0]);
  CHECK(connections.drop_slow(kStart).count == 0);
  CHECK_FALSE(gone.is_shut_down());                      // what it said may have just been read
  CHECK(connections.drop_slow(kStart + 1s).count == 0);  // it was not slow
  CHECK(gone.is_shut_down());
  CHECK_FALSE(answering.is_shut_down());
}

TEST_CASE("an address is forgotten an hour after it was served") {
  OpenConnections connections(1);
  serve_once(connections, "10.0.0.1");
  connections.drop_slow(kStart + 2h);
  const Pair known, stranger;
  take(connections, known, "10.0.0.1");
  CHECK(connections.arrives(stranger.fds[0], "10.0.0.2") == OpenConnections::Arrival::taken);
}

TEST_CASE("an address has its own limit, and those that are shut down do not count") {
  OpenConnections connections(8, 2);
  const Pair first, second, third, other;
  take(connections, first, "10.0.0.1");
  take(connections, second, "10.0.0.1");
  CHECK(connections.arrives(third.fds[0], "10.0.0.1") == OpenConnections::Arrival::address_full);
  CHECK(connections.arrives(other.fds[0], "10.0.0.2") == OpenConnections::Arrival::taken);
  connections.drop_slow(kStart);
  connections.drop_slow(kStart + 10s);
  CHECK(connections.arrives(third.fds[0], "10.0.0.1") == OpenConnections::Arrival::taken);
}

TEST_CASE("those that are shut down count until they are closed, so that descriptors are bounded") {
  OpenConnections connections(1);
  const Pair pairs[OpenConnections::most_descriptors(1)];
  for (const auto& pair : pairs) {
    CHECK(connections.has_room());
    take(connections, pair);
  }
  CHECK_FALSE(connections.has_room());
  connections.closed(pairs[0].fds[0]);
  CHECK(connections.has_room());
}

TEST_CASE("what the server has not taken over yet is not shut down for its slowness") {
  OpenConnections connections(1);
  const Pair pair;
  REQUIRE(connections.arrives(pair.fds[0], "10.0.0.1") == OpenConnections::Arrival::taken);
  connections.drop_slow(kStart);
  connections.drop_slow(kStart + 10s);
  CHECK_FALSE(pair.is_shut_down());
  CHECK(connections.size() == 1);
}

TEST_CASE("a connection that is closed is left alone, and its descriptor starts anew") {
  OpenConnections connections(100);
  const Pair pair;
  take(connections, pair);
  connections.drop_slow(kStart);
  connections.closed(pair.fds[0]);
  connections.requested(pair.fds[0]);
  CHECK(connections.drop_slow(kStart + 60s).count == 0);
  take(connections, pair);
  CHECK(connections.drop_slow(kStart + 61s).count == 0);
  CHECK_FALSE(pair.is_shut_down());
}

TEST_CASE("no time passes for a connection while it waits for something else than its client") {
  OpenConnections connections(1);
  const Pair pair;
  const int fd = pair.fds[0];
  take(connections, pair);
  connections.requested(fd);
  CHECK(connections.drop_slow(kStart).count == 0);
  connections.held(fd);
  CHECK(connections.drop_slow(kStart + 20s).count == 0);
  CHECK(connections.drop_slow(kStart + 60s).count == 0);
  connections.requested(fd);
  CHECK(connections.drop_slow(kStart + 61s).count == 0);
  CHECK(connections.drop_slow(kStart + 70s).count == 0);
  CHECK_FALSE(pair.is_shut_down());
  CHECK(connections.drop_slow(kStart + 71s).count == 1);
}

TEST_CASE(
    "who came and has had no answer yet is waited for, who had one or waits for something else is not") {
  OpenConnections connections(1);
  const Pair pair;
  const int fd = pair.fds[0];
  CHECK(connections.unanswered() == 0);
  take(connections, pair);
  CHECK(connections.unanswered() == 1);
  connections.requested(fd);
  CHECK(connections.unanswered() == 1);
  connections.held(fd);
  CHECK(connections.unanswered() == 0);
  connections.requested(fd);
  connections.answered(fd, true);
  CHECK(connections.unanswered() == 0);
  connections.requested(fd);
  CHECK(connections.unanswered() == 1);
  connections.closed(fd);
  CHECK(connections.unanswered() == 0);
}
