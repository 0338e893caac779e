// SPDX-License-Identifier: Apache-2.0
// A client that uses a connection again which the server has closed for idleness.
#include <poll.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "tests/incidents/actor.h"
#include "tests/incidents/stage.h"
#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;
constexpr auto kServerKeepsFor = 1000ms, kClientComesBackAfter = 2000ms;
constexpr std::size_t kPool = 20;

struct ServerTally {
  std::atomic<std::uint32_t> closed_idle = 0;
};
struct PoolTally {
  std::atomic<std::uint32_t> answered = 0, found_closed = 0;
};

struct Connection {
  FileDescriptor socket;
  TimePoint used_at;
};

// Answers one request, and tells whether the connection is to be kept.
bool serve_once(Connection& connection) {
  char request[64];
  const auto length = ::recv(connection.socket.get(), request, sizeof request, MSG_DONTWAIT);
  if (length == 0) return false;
  if (length > 0) {
    connection.used_at = now();
    ::send(connection.socket.get(), "!", 1, MSG_NOSIGNAL);
  }
  return true;
}

void serve(ServerTally& tally) {
  const auto listener = listen_on("0.0.0.0", kPort);
  std::vector<Connection> connections;
  for (;;) {
    pollfd readable{.fd = listener.get(), .events = POLLIN};
    if (::poll(&readable, 1, 10) == 1) connections.push_back({accept_from(listener), now()});
    std::erase_if(connections, [&](Connection& each) {
      if (!serve_once(each)) return true;
      const bool idle = now() - each.used_at >= kServerKeepsFor;
      tally.closed_idle += idle ? 1 : 0;
      return idle;
    });
  }
}

// One request; false when the connection is closed.
bool ask(const FileDescriptor& connection) {
  char answer = 0;
  return ::send(connection.get(), "?", 1, MSG_NOSIGNAL) == 1 && ::recv(connection.get(), &answer, 1, 0) == 1;
}

// As pools do: what is found closed is replaced, and the request repeated.
void ask_or_reconnect(FileDescriptor& connection, PoolTally& tally) {
  if (connection && ask(connection)) {
    ++tally.answered;
    return;
  }
  tally.found_closed += connection ? 1 : 0;
  connection = try_to_connect("10.0.0.2", kPort).socket;
  tally.answered += ask(connection) ? 1 : 0;
}

void use_pool(PoolTally& tally) {
  std::vector<FileDescriptor> pool(kPool);
  auto next_at = now();
  for (std::size_t each = 0;; each = (each + 1) % kPool, next_at += kClientComesBackAfter / kPool) {
    std::this_thread::sleep_until(next_at);
    ask_or_reconnect(pool[each], tally);
  }
}

void reuse_too_late(Stage& stage) {
  const Actor<ServerTally> server("gunicorn", "peer", serve);
  Actor<PoolTally> client("pool", "", use_pool);
  auto& kernel = stage.kernel();
  stage.evidence("resets of connections used again",
                 [&] { return client->found_closed > 0 && kernel.increase(&TcpCounters::estab_resets) > 0; });
  stage.until_found();
  stage.observe("requests answered", client->answered, 10);
  stage.observe("closed connections used", client->found_closed, 5);
  stage.observe("resets of established", kernel.increase(&TcpCounters::estab_resets), 5);
  stage.observe("closed by the server for idleness", server->closed_idle, 10);
  stage.observe("CLOSE_WAIT", kernel.client(kPort).count(TcpState::close_wait), 1, kPool);
  client.end();
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> idle_reuse_scenarios() {
  return {{.id = "21",
           .name = "idle-connection-reused",
           .play = reuse_too_late,
           .expected = {{.id = "idle-reuse-reset", .port = kPort, .severity = "info"}},
           .look_alikes = {"close-wait-*", "app-reset"},
           .peer = true}};
}

}  // namespace tcpdiag::incidents
