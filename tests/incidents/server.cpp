// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/server.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

// Whether the connection is still there.
bool answer(int connection) {
  char bytes[4096];
  const auto length = ::recv(connection, bytes, sizeof bytes, MSG_DONTWAIT);
  if (length < 0) return errno == EAGAIN || errno == EINTR;
  return length > 0 && ::send(connection, "!", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

void answer_all(std::vector<FileDescriptor>& connections, const std::vector<pollfd>& polled) {
  for (std::size_t at = 0; at < polled.size(); ++at)
    if (polled[at].revents != 0 && !answer(polled[at].fd)) connections[at] = FileDescriptor();
  std::erase_if(connections, [](const FileDescriptor& connection) { return !connection; });
}

std::vector<pollfd> poll_connections(const std::vector<FileDescriptor>& connections) {
  std::vector<pollfd> polled;
  for (const auto& connection : connections) polled.push_back({.fd = connection.get(), .events = POLLIN});
  ::poll(polled.data(), polled.size(), 0);
  return polled;
}

}  // namespace

Server::Server(ServerPlan plan) {
  state_->stuck = plan.stuck;
  process_ = Process(plan.comm, plan.netns, [plan, state = state_.get()] { serve(plan, *state); });
  wait_until(plan.comm + " to listen", [this] { return state_->listening.load(); });
}

void Server::drop_syns() {
  state_->to_drop_syns = true;
  wait_until("SYNs to be dropped", [this] { return state_->drops_syns.load(); });
}

void Server::serve(const ServerPlan& plan, State& state) {
  if (plan.max_fds != 0) limit_fds(0, plan.max_fds);
  const auto listener =
      listen_on(plan.address, plan.port, {.backlog = plan.backlog, .reuse_port = plan.reuse_port});
  state.listening = true;
  std::vector<FileDescriptor> connections;
  for (;;) {
    if (state.to_drop_syns && !state.drops_syns) {
      drop_syns_to(listener);
      state.drops_syns = true;
    }
    answer_all(connections, poll_connections(connections));
    pollfd readable{.fd = state.stuck ? -1 : listener.get(), .events = POLLIN};
    if (::poll(&readable, 1, 5) != 1) continue;
    FileDescriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) {
      state.fds_exhausted += errno == EMFILE ? 1 : 0;
      std::this_thread::sleep_for(50ms);
      continue;
    }
    ++state.accepted;
    connections.push_back(std::move(connection));
    if (plan.per_accept > 0us) std::this_thread::sleep_for(plan.per_accept);
  }
}

}  // namespace tcpdiag::incidents
