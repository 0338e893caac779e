// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/prefork.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <thread>
#include <vector>

#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

// Of a worker's process: it is to end.
volatile std::sig_atomic_t ending = 0;

// Whether the connection is kept.
bool answer(int connection, std::atomic<std::uint32_t>& answered) {
  char request[64];
  const auto length = ::recv(connection, request, sizeof request, MSG_DONTWAIT);
  if (length < 0) return errno == EAGAIN || errno == EINTR;
  if (length == 0 || ::send(connection, "!", 1, MSG_NOSIGNAL) != 1) return false;
  ++answered;
  return ending == 0;
}

void answer_all(std::vector<FileDescriptor>& connections, std::atomic<std::uint32_t>& answered) {
  std::erase_if(connections, [&](const FileDescriptor& each) { return !answer(each.get(), answered); });
}

// One request; false when the connection is closed.
bool ask(const FileDescriptor& connection) {
  char answer = 0;
  return connection && ::send(connection.get(), "?", 1, MSG_NOSIGNAL) == 1 &&
         ::recv(connection.get(), &answer, 1, 0) == 1;
}

}  // namespace

Prefork::Prefork(const PreforkPlan& plan)
    : actor_(plan.comm, "", [plan](State& state) { run(plan, state); }) {
  wait_until(plan.comm + " to listen", [this] { return actor_->listening.load(); });
}

void Prefork::work(int listener, State& state) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGTERM, [](int) { ending = 1; });
  std::vector<FileDescriptor> connections;
  constexpr auto kDrains = 1s;
  TimePoint told_at;
  for (;;) {
    answer_all(connections, state.answered);
    if (ending != 0 && told_at == TimePoint()) told_at = now();
    if (ending != 0 && (connections.empty() || now() - told_at > kDrains)) ::_exit(0);
    pollfd readable{.fd = ending != 0 ? -1 : listener, .events = POLLIN};
    if (::poll(&readable, 1, 5) != 1) continue;
    FileDescriptor connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection) connections.push_back(std::move(connection));
  }
}

void Prefork::run(const PreforkPlan& plan, State& state) {
  const auto listener = listen_on("0.0.0.0", plan.port, {.backlog = 511});
  ::fcntl(listener.get(), F_SETFL, O_NONBLOCK);  // another worker may have been quicker
  std::deque<pid_t> workers;
  const auto start = [&] {
    const auto pid = ::fork();
    if (pid == 0) work(listener.get(), state);
    if (pid > 0) workers.push_back(pid);
  };
  for (unsigned each = 0; each < plan.workers; ++each) start();
  state.listening = true;
  for (;;) {
    std::this_thread::sleep_for(plan.every);
    for (unsigned each = 0; each < (plan.all_at_once ? plan.workers : 1); ++each) {
      start();
      ::kill(workers.front(), SIGTERM);
      workers.pop_front();
      ++state.replaced;
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

KeepAliveClients::KeepAliveClients(std::uint16_t port, unsigned count,
                                   std::chrono::milliseconds each_asks_every)
    : actor_("client", "", [=](Tally& tally) {
        std::vector<FileDescriptor> connections(count);
        auto next_at = now();
        for (std::size_t each = 0;; each = (each + 1) % count, next_at += each_asks_every / count) {
          std::this_thread::sleep_until(next_at);
          auto& connection = connections[each];
          if (!ask(connection)) {
            connection = try_to_connect("127.0.0.1", port).socket;
            if (!ask(connection)) {
              ++tally.failed;
              continue;
            }
          }
          ++tally.answered;
        }
      }) {}

}  // namespace tcpdiag::incidents
