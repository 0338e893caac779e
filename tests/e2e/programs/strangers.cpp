// SPDX-License-Identifier: Apache-2.0
// strangers PORT COUNT HABIT: so many addresses of 127.1.0.0/16 each have one connection to 127.0.0.1:PORT,
// until the program is ended. They drip (begin a request and go on with it by a byte now and then), do not
// read (ask for far more than they take), or reset (send what only begins like a TLS handshake and break off,
// again and again). Whoever was cut off comes again.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_descriptor.h"

namespace tcpdiag {
namespace {

constexpr std::uint32_t kFirstAddress = 0x7f010001;
constexpr auto kRound = 100'000;  // microseconds

struct Habit {
  std::string opening;
  std::string refrain;
  bool resets = false;
};

std::optional<Habit> habit_called(std::string_view name) {
  const std::string line = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n";
  if (name == "drip") return Habit{line + "X-Slow: ", "a"};
  if (name == "do-not-read") {
    std::string many;
    for (int i = 0; i < 100; ++i) many += line + "\r\n";
    return Habit{many, ""};
  }
  if (name == "reset") return Habit{std::string("\x16\x03\x01\x00\x05hello", 10), "", true};
  return std::nullopt;
}

class Stranger {
 public:
  Stranger(std::uint16_t port, std::uint32_t from, const Habit& habit)
      : port_(port), from_(from), habit_(&habit) {}

  void go_on() {
    if (socket_ && !habit_->resets && is_heard(said_opening_ ? habit_->refrain : habit_->opening)) return;
    if (socket_ && habit_->resets && is_heard(habit_->opening)) {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    begin();
  }

 private:
  void begin() {
    said_opening_ = false;
    socket_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int small = 4096;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    const sockaddr_in source{.sin_family = AF_INET, .sin_addr = {htonl(from_)}};
    const sockaddr_in server{
        .sin_family = AF_INET, .sin_port = htons(port_), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0 ||
        (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0 &&
         errno != EINPROGRESS))
      socket_ = {};
  }

  /// False: the connection is gone. One that is still on its way is there.
  bool is_heard(const std::string& text) {
    char byte = 0;
    const auto length = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (length == 0 || (length < 0 && errno != EAGAIN && errno != ENOTCONN)) return false;
    if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
      said_opening_ = true;
      return true;
    }
    return errno == EAGAIN || errno == ENOTCONN;
  }

  std::uint16_t port_;
  std::uint32_t from_;
  const Habit* habit_;
  bool said_opening_ = false;
  FileDescriptor socket_;
};

}  // namespace
}  // namespace tcpdiag

int main(int argc, char** argv) {
  using namespace tcpdiag;
  const auto port = argc == 4 ? std::strtoul(argv[1], nullptr, 10) : 0;
  const auto count = argc == 4 ? std::strtoul(argv[2], nullptr, 10) : 0;
  const auto habit = argc == 4 ? habit_called(argv[3]) : std::nullopt;
  if (port == 0 || port > 65535 || count == 0 || count > 10000 || !habit) {
    std::fprintf(stderr, "usage: strangers PORT COUNT drip|do-not-read|reset\n");
    return 2;
  }
  std::vector<Stranger> strangers;
  strangers.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i)
    strangers.emplace_back(static_cast<std::uint16_t>(port), kFirstAddress + i, *habit);
  for (;;) {
    for (auto& stranger : strangers) stranger.go_on();
    ::usleep(kRound);
  }
}
