// SPDX-License-Identifier: Apache-2.0
// slow_clients PORT COUNT PROGRAM [ARGUMENT...]: runs a program while so many other clients hold connections
// to 127.0.0.1:PORT. Every second one of them says nothing, the others begin a request and go on with it by
// one byte a second. One that the server has closed comes back within a second. At the end it tells on
// standard error how many were connected at the least.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "tests/bench/child_process.h"
#include "tests/bench/http_client.h"

namespace tcpdiag::bench {
namespace {

constexpr std::size_t kFromOneAddress = 50;  // below the daemon's limit for one address

class SlowClient {
 public:
  SlowClient(std::uint16_t port, std::size_t number)
      : port_(port),
        from_(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number / kFromOneAddress)),
        drips_(number % 2 == 0) {}

  [[nodiscard]] bool connected() const {
    char byte = 0;
    return socket_ && ::recv(socket_.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
  }
  void go_on() {
    if (!connected()) {
      socket_ = connect_to_port(port_, from_);
      if (drips_) say("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    } else if (drips_) {
      say("a");
    }
  }

 private:
  void say(std::string_view text) const {
    if (socket_) ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  std::uint16_t port_;
  std::uint32_t from_;
  bool drips_;
  FileDescriptor socket_;
};

int run(std::uint16_t port, std::size_t count, char** program) {
  std::vector<SlowClient> clients;
  for (std::size_t i = 0; i < count; ++i) clients.emplace_back(port, i);
  for (auto& client : clients) client.go_on();
  const auto child = start(program);
  std::vector<std::ptrdiff_t> connected;
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == 0) {
    ::sleep(1);
    connected.push_back(
        std::count_if(clients.begin(), clients.end(), [](const auto& client) { return client.connected(); }));
    for (auto& client : clients) client.go_on();
  }
  if (!connected.empty()) {
    std::sort(connected.begin(), connected.end());
    std::fprintf(stderr, "slow clients connected: %td\n", connected[connected.size() / 2]);
  }
  return wait_for(child).code;
}

}  // namespace
}  // namespace tcpdiag::bench

int main(int argc, char** argv) {
  const auto port = argc < 4 ? 0 : std::strtoul(argv[1], nullptr, 10);
  const auto count = argc < 4 ? 0 : std::strtoul(argv[2], nullptr, 10);
  if (port > 0 && port < 65536 && count > 0)
    return tcpdiag::bench::run(static_cast<std::uint16_t>(port), count, argv + 3);
  std::fprintf(stderr, "usage: slow_clients PORT COUNT PROGRAM [ARGUMENT...]\n");
  return 2;
}
