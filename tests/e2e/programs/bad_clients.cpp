// SPDX-License-Identifier: Apache-2.0
// bad_clients PORT COUNT SECONDS: so many clients hold connections to 127.0.0.1:PORT, for so many seconds or
// until the program is ended. By turns they say nothing, begin a request and go on with it by a byte at a
// time, or ask for far more than they read. Beside them some send a header without an end, and some a body
// without an end, as fast as they are let. Whoever was cut off comes again.
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/bench/http_client.h"

namespace tcpdiag::bench {
namespace {

constexpr std::size_t kEndlessOfEachKind = 4;
constexpr auto kRound = 100'000;  // microseconds

std::string times(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

/// What a client says first, and what again and again.
struct Habit {
  std::string opening;
  std::string refrain;
};

std::vector<Habit> slow_habits() {
  return {{"", ""},
          {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", "a"},
          {times(100, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"), ""}};
}

std::vector<Habit> endless_habits() {
  return {{"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Endless: ", std::string(65536, 'a')},
          {"POST /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
           "10000\r\n" + std::string(65536, 'a') + "\r\n"}};
}

class BadClient {
 public:
  BadClient(std::uint16_t port, std::uint32_t from, Habit habit)
      : port_(port), from_(from), habit_(std::move(habit)) {}

  void go_on() {
    if (listens() && say(habit_.refrain)) return;
    socket_ = connect_to_port(port_, from_);
    say(habit_.opening);
  }

 private:
  // Takes a little of the answer, if there is one: just enough not to be cut off as idle.
  [[nodiscard]] bool listens() const {
    char some[16384];
    if (!socket_) return false;
    const auto length = ::recv(socket_.get(), some, sizeof some, MSG_DONTWAIT);
    return length > 0 || (length < 0 && errno == EAGAIN);
  }
  bool say(const std::string& text) const {
    if (!socket_) return false;
    return ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
           errno == EAGAIN;
  }

  std::uint16_t port_;
  std::uint32_t from_;
  Habit habit_;
  FileDescriptor socket_;
};

void misbehave(std::uint16_t port, std::size_t count, std::size_t per_address) {
  std::vector<BadClient> clients;
  clients.reserve(count + 2 * kEndlessOfEachKind);
  const auto slow = slow_habits();
  for (std::size_t i = 0; i < count; ++i)
    clients.emplace_back(port, INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(i / per_address),
                         slow[i % slow.size()]);
  constexpr std::uint32_t kElsewhere = INADDR_LOOPBACK + 0x100;
  for (const auto& habit : endless_habits())
    for (std::size_t i = 0; i < kEndlessOfEachKind; ++i) clients.emplace_back(port, kElsewhere, habit);
  for (;;) {
    for (auto& client : clients) client.go_on();
    ::usleep(kRound);
  }
}

}  // namespace
}  // namespace tcpdiag::bench

int main(int argc, char** argv) {
  const auto number = [&](int i) { return i < argc ? std::strtoul(argv[i], nullptr, 10) : 0; };
  const auto port = number(1), count = number(2), per_address = number(3), seconds = number(4);
  if (port == 0 || port > 65535 || count == 0 || count > 1000 || per_address == 0 || seconds == 0 ||
      seconds > 900) {
    std::fprintf(stderr, "usage: bad_clients PORT COUNT PER_ADDRESS SECONDS\n");
    return 2;
  }
  ::alarm(static_cast<unsigned>(seconds));
  tcpdiag::bench::misbehave(static_cast<std::uint16_t>(port), count, per_address);
}
