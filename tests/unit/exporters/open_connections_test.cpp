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

}  // namespace

TEST_CASE("a connection may take ten seconds for its request, and again for its answer") {
  OpenConnections connections(100);
  const Pair pair;
  const int fd = pair.fds[0];
  connections.opened(fd);
  CHECK(connections.drop_slow(kStart).count == 0);
  CHECK(connections.drop_slow(kStart + 9s).count == 0);
  connections.requested(fd);
  CHECK(connections.drop_slow(kStart + 10s).count == 0);
  CHECK(connections.drop_slow(kStart + 19s).count == 0);
  connections.answered(fd);
  CHECK(connections.drop_slow(kStart + 20s).count == 0);
  CHECK(connections.drop_slow(kStart + 29s).count == 0);
  CHECK_FALSE(pair.is_shut_down());
  CHECK(connections.drop_slow(kStart + 30s).count == 1);
  CHECK(pair.is_shut_down());
}

TEST_CASE("a connection that takes its answer too slowly is dropped, once") {
  OpenConnections connections(100);
  const Pair pair;
  connections.opened(pair.fds[0]);
  connections.requested(pair.fds[0]);
  connections.drop_slow(kStart);
  CHECK(connections.drop_slow(kStart + 10s).count == 1);
  CHECK(connections.drop_slow(kStart + 20s).count == 0);
  CHECK(connections.size() == 1);
  connections.closed(pair.fds[0]);
  CHECK(connections.size() == 0);
}

TEST_CASE("when the server is full, who only waits goes after a second and who takes an answer stays") {
  OpenConnections connections(2);
  const Pair waiting, answering;
  connections.opened(waiting.fds[0]);
  connections.opened(answering.fds[0]);
  connections.requested(answering.fds[0]);
  CHECK(connections.drop_slow(kStart).count == 0);
  CHECK(connections.drop_slow(kStart + 1s).count == 1);
  CHECK(waiting.is_shut_down());
  CHECK_FALSE(answering.is_shut_down());
}

TEST_CASE("a connection that is closed is left alone, and its descriptor starts anew") {
  OpenConnections connections(100);
  const Pair pair;
  connections.opened(pair.fds[0]);
  connections.drop_slow(kStart);
  connections.closed(pair.fds[0]);
  connections.requested(pair.fds[0]);
  CHECK(connections.drop_slow(kStart + 60s).count == 0);
  connections.opened(pair.fds[0]);
  CHECK(connections.drop_slow(kStart + 61s).count == 0);
  CHECK_FALSE(pair.is_shut_down());
}

TEST_CASE("no time passes for a connection while it waits for something else than its client") {
  OpenConnections connections(1);
  const Pair pair;
  const int fd = pair.fds[0];
  connections.opened(fd);
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
  connections.opened(fd);
  CHECK(connections.unanswered() == 1);
  connections.requested(fd);
  CHECK(connections.unanswered() == 1);
  connections.held(fd);
  CHECK(connections.unanswered() == 0);
  connections.requested(fd);
  connections.answered(fd);
  CHECK(connections.unanswered() == 0);
  connections.requested(fd);
  CHECK(connections.unanswered() == 1);
  connections.closed(fd);
  CHECK(connections.unanswered() == 0);
}
