// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/acceptor.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {

using namespace std::chrono_literals;

Acceptor::Acceptor(const AcceptorPlan& plan)
    : actor_(plan.comm, plan.netns, [plan](State& state) { serve(plan, state); }) {
  wait_until(plan.comm + " to listen", [this] { return actor_->listening.load(); });
}

void Acceptor::serve(const AcceptorPlan& plan, State& state) {
  if (plan.max_fds != 0) limit_fds(0, plan.max_fds);
  const auto listener = listen_on(plan.address, plan.port, {.backlog = plan.backlog});
  std::vector<FileDescriptor> kept;
  if (plan.before) plan.before(kept);
  state.listening = true;
  for (;;) {
    if (state.letting_go) kept.clear();
    pollfd readable{.fd = listener.get(), .events = POLLIN};
    if (::poll(&readable, 1, 20) != 1) continue;
    FileDescriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) {
      std::this_thread::sleep_for(50ms);
      continue;
    }
    ++state.accepted;
    if (!plan.treat || plan.treat(connection.get())) kept.push_back(std::move(connection));
  }
}

bool answer_and_close(int connection) {
  char request = 0;
  pollfd readable{.fd = connection, .events = POLLIN};
  if (::poll(&readable, 1, 1000) == 1 && ::recv(connection, &request, 1, MSG_DONTWAIT) == 1)
    ::send(connection, "!", 1, MSG_NOSIGNAL);
  return false;
}

}  // namespace tcpdiag::incidents
