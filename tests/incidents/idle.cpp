// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/idle.h"

#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kMaxFds = 20000;  // for each end; room for twice as many as it needs

}  // namespace

IdleConnections::IdleConnections(unsigned count, std::uint16_t port)
    : count_(count), server_({.port = port, .max_fds = kMaxFds}), client_("client", "", [count, port] {
        limit_fds(0, kMaxFds);
        std::vector<FileDescriptor> connections;
        while (connections.size() < count) {
          auto attempt = try_to_connect("127.0.0.1", port);
          if (attempt.error == 0) connections.push_back(std::move(attempt.socket));
          if (connections.size() % 10 == 0) std::this_thread::sleep_for(1ms);
        }
        for (;;) ::pause();
      }) {}

}  // namespace tcpdiag::incidents
