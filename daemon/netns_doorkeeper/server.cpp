// SPDX-License-Identifier: Apache-2.0
#include "daemon/netns_doorkeeper/server.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "collectors/netns_wire.h"

namespace tcpdiag {
namespace {

/// Nobody who does not take an answer may keep the others from theirs.
constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};

FileDescriptor accept_one(const FileDescriptor& listener) {
  FileDescriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) return connection;
  for (const int which : {SO_SNDTIMEO, SO_RCVTIMEO})
    ::setsockopt(connection.get(), SOL_SOCKET, which, &kPatience, sizeof kPatience);
  return connection;
}

FileDescriptor signals_that_end() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC));
}

}  // namespace

bool answer_request(int connection) {
  auto request = receive_netns_request(connection);
  if (!request || !*request) return false;
  const auto netns = Netns::of(std::move((*request)->netns));
  return send_netns_answer(connection,
                           {.number = (*request)->number, .door = netns.and_then(open_door_inside)})
      .has_value();
}

void serve_connection(const FileDescriptor& connection) {
  while (answer_request(connection.get())) continue;
}

Result<void> serve_listener(const FileDescriptor& listener) {
  const auto signals = signals_that_end();
  std::vector<FileDescriptor> connections;  // who spoke last is the last one
  for (;;) {
    std::vector<pollfd> waiting = {{.fd = signals.get(), .events = POLLIN},
                                   {.fd = listener.get(), .events = POLLIN}};
    for (const auto& each : connections) waiting.push_back({.fd = each.get(), .events = POLLIN});
    if (::poll(waiting.data(), waiting.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return tl::unexpected<Error>(system_error(errno, "poll"));
    }
    if (waiting[0].revents != 0) return {};
    for (auto at = waiting.size(); at-- > 2;) {
      if (waiting[at].revents == 0) continue;
      const auto place = connections.begin() + static_cast<std::ptrdiff_t>(at - 2);
      if (answer_request(place->get()))
        std::rotate(place, place + 1, connections.end());
      else
        connections.erase(place);
    }
    if (waiting[1].revents == 0) continue;
    if (auto connection = accept_one(listener)) connections.push_back(std::move(connection));
    if (connections.size() > kMostConnections) connections.erase(connections.begin());
  }
}

}  // namespace tcpdiag
