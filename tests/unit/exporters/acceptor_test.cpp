// SPDX-License-Identifier: Apache-2.0
#include "exporters/acceptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "exporters/listen_socket.h"
#include "tests/catch.h"
#include "tests/http_server.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

/// What an acceptor says, on its thread, and whether it may take anybody.
class Heard {
 public:
  Acceptor::Calls calls() {
    return {.has_room =
                [this](std::size_t) {
                  ++asked;
                  return room.load();
                },
            .take =
                [this](const Accepted& accepted) {
                  ::close(accepted.fd);
                  ++taken;
                },
            .trouble =
                [this](int error) {
                  if (error == EMFILE) ++troubles;
                }};
  }

  std::atomic<bool> room = false;
  std::atomic<int> asked = 0, taken = 0, troubles = 0;
};

/// Whether the number gets there within 20 s.
bool reaches(const std::atomic<int>& number, int wanted) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (number < wanted && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  return number >= wanted;
}

/// As long as it lives no descriptor is left.
class NoDescriptorLeft {
 public:
  NoDescriptorLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = fcntl(0, F_DUPFD_CLOEXEC, 0);
    close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptorLeft(const NoDescriptorLeft&) = delete;
  NoDescriptorLeft& operator=(const NoDescriptorLeft&) = delete;
  ~NoDescriptorLeft() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

struct Stranger {
  explicit Stranger(const ListenAddress& address) : fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in server{.sin_family = AF_INET, .sin_port = htons(address.port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  ~Stranger() { close(fd); }

  int fd;
};

}  // namespace

TEST_CASE("without a descriptor connections wait, without a busy loop, and are taken when one is free",
          "[http]") {
  const auto listener = ListenSocket::open(kLoopback);
  REQUIRE(listener);
  Heard heard;
  const Acceptor acceptor({listener->fd()}, heard.calls());
  const Stranger stranger(listener->address());
  REQUIRE(reaches(heard.asked, 1));  // UBSan takes a descriptor when the thread begins
  {
    const NoDescriptorLeft none;
    heard.room = true;
    REQUIRE(reaches(heard.troubles, 1));
    const int before = heard.troubles;
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(reaches(heard.troubles, before + 5));
    CHECK(std::chrono::steady_clock::now() - begin > 30ms);
    CHECK(heard.taken == 0);
  }
  CHECK(reaches(heard.taken, 1));
}

TEST_CASE("connections for which there is no room wait until there is", "[http]") {
  const auto listener = ListenSocket::open(kLoopback);
  REQUIRE(listener);
  Heard heard;
  const Acceptor acceptor({listener->fd()}, heard.calls());
  const Stranger stranger(listener->address());
  REQUIRE(reaches(heard.asked, 3));
  CHECK(heard.taken == 0);
  heard.room = true;
  CHECK(reaches(heard.taken, 1));
  CHECK(heard.troubles == 0);
}
