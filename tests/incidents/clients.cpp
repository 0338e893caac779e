// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/clients.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

struct Client {
  FileDescriptor socket;
  bool connected = false;
};

int pending_error(const FileDescriptor& socket) {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

// What has happened to a client that poll() points out; it is closed when it is over.
template <class Tally>
void look_at(Client& client, const ClientPlan& plan, Tally& tally) {
  if (!client.connected) {
    if (pending_error(client.socket) != 0) {
      ++tally.failed;
      client.socket = FileDescriptor();
      return;
    }
    client.connected = true;
    ++tally.connected;
    if (plan.speak) ::send(client.socket.get(), "?", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  char bytes[4096];
  const auto length = ::recv(client.socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (length > 0 || (length < 0 && errno == EAGAIN)) return;
  if (length < 0) ++tally.reset;
  client.socket = FileDescriptor();
}

template <class Tally>
void look_at_all(std::vector<Client>& clients, const ClientPlan& plan, Tally& tally, int milliseconds) {
  std::vector<pollfd> polled;
  for (const auto& client : clients)
    polled.push_back(
        {.fd = client.socket.get(), .events = static_cast<short>(client.connected ? POLLIN : POLLOUT)});
  ::poll(polled.data(), polled.size(), milliseconds);
  for (std::size_t at = 0; at < polled.size(); ++at)
    if (polled[at].revents != 0) look_at(clients[at], plan, tally);
}

void raise_fd_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Clients::Clients(ClientPlan plan)
    : process_(plan.comm, plan.netns, [plan, tally = tally_.get()] { connect_all(plan, *tally); }) {}

void Clients::connect_all(const ClientPlan& plan, Tally& tally) {
  raise_fd_limit();
  std::vector<Client> clients;
  auto next_at = now();
  for (unsigned each = 0; each < plan.count; ++each, next_at += plan.apart) {
    if (plan.apart.count() > 0) {
      std::this_thread::sleep_until(next_at);
      look_at_all(clients, plan, tally, 0);
    }
    clients.push_back({connect_to(plan.address, plan.port)});
  }
  for (;;) look_at_all(clients, plan, tally, 20);
}

}  // namespace tcpdiag::incidents
