// SPDX-License-Identifier: Apache-2.0
// Connections in CLOSE_WAIT and servers that are replaced, where nothing is wrong: no leak, no stall.
#include <poll.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "tests/incidents/actor.h"
#include "tests/incidents/prefork.h"
#include "tests/incidents/stage.h"
#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

struct ServerTally {
  std::atomic<bool> listening = false;
  std::atomic<std::uint32_t> accepted = 0, answered = 0;
};
struct ClientTally {
  std::atomic<std::uint32_t> connected = 0, received = 0, found_closed = 0, gave_up = 0;
};

struct Connection {
  FileDescriptor socket;
  TimePoint since;
};

// Accepts what comes within 10 ms and lets `serve` decide whether a connection is kept.
void serve(ServerTally& tally, const std::function<bool(Connection&)>& serve_one) {
  const auto listener = listen_on("0.0.0.0", kPort, {.backlog = 511});
  tally.listening = true;
  std::vector<Connection> connections;
  for (;;) {
    pollfd readable{.fd = listener.get(), .events = POLLIN};
    while (::poll(&readable, 1, 10) == 1) {
      connections.push_back({accept_from(listener), now()});
      ++tally.accepted;
    }
    std::erase_if(connections, [&](Connection& each) { return !serve_one(each); });
  }
}

// -1: nothing has come; 0: the peer has closed.
ssize_t receive(const Connection& connection) {
  char bytes[64];
  return ::recv(connection.socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
}

bool send_one(const FileDescriptor& socket) { return ::send(socket.get(), "!", 1, MSG_NOSIGNAL) == 1; }

// A pool that is used every half minute by a client that looks first whether a connection is closed.
void use_pool(ClientTally& tally, std::size_t size) {
  std::vector<FileDescriptor> pool(size);
  for (auto next_at = now();; next_at += 30s) {
    std::this_thread::sleep_until(next_at);
    for (auto& connection : pool) {
      char byte = 0;
      const bool is_closed = connection && ::recv(connection.get(), &byte, 1, MSG_DONTWAIT) == 0;
      tally.found_closed += is_closed ? 1 : 0;
      if (!connection || is_closed) {
        connection = try_to_connect("10.0.0.2", kPort).socket;
        ++tally.connected;
      }
      send_one(connection);
      tally.received += ::recv(connection.get(), &byte, 1, 0) == 1 ? 1 : 0;
    }
  }
}

void pool_closed_for_idleness(Stage& stage) {
  constexpr std::size_t kSize = 300;
  const Actor<ServerTally> server("postgres", "peer", [](ServerTally& tally) {
    serve(tally, [](Connection& each) {
      const auto length = receive(each);
      if (length > 0) {
        each.since = now();
        return send_one(each.socket);
      }
      return length != 0 && now() - each.since < 8s;
    });
  });
  stage.await("the server", [&] { return server->listening.load(); });
  const Actor<ClientTally> client("orders", "", [](ClientTally& tally) { use_pool(tally, kSize); });
  auto& kernel = stage.kernel();
  stage.evidence("the whole pool in CLOSE_WAIT",
                 [&] { return kernel.client(kPort).count(TcpState::close_wait) == kSize; });
  stage.until_found();
  stage.observe("found closed", client->found_closed, kSize);
  stage.observe("answers", client->received, 2 * kSize);
}

// Each gets 3 kB/s; its end has said that it sends no more.
void half_closed_downloads(Stage& stage) {
  constexpr std::size_t kClients = 40;
  const Actor<ServerTally> server("nginx", "", [](ServerTally& tally) {
    serve(tally, [](Connection& each) {
      const char part[300]{};
      if (now() - each.since < 100ms) return true;
      each.since = now();
      (void)receive(each);
      return ::send(each.socket.get(), part, sizeof part, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
    });
  });
  stage.await("the server", [&] { return server->listening.load(); });
  const Actor<ClientTally> clients("curl", "", [](ClientTally& tally) {
    std::vector<FileDescriptor> connections;
    while (connections.size() < kClients) {
      connections.push_back(try_to_connect("127.0.0.1", kPort).socket);
      send_one(connections.back());
      ::shutdown(connections.back().get(), SHUT_WR);
      ++tally.connected;
    }
    for (;;) {
      char bytes[4096];
      std::this_thread::sleep_for(20ms);
      for (const auto& each : connections)
        if (const auto length = ::recv(each.get(), bytes, sizeof bytes, MSG_DONTWAIT); length > 0)
          tally.received += static_cast<std::uint32_t>(length);
    }
  });
  auto& kernel = stage.kernel();
  stage.evidence("half-closed connections",
                 [&] { return kernel.server(kPort).count(TcpState::close_wait) == kClients; });
  stage.until_found();
  stage.observe("CLOSE_WAIT", kernel.server(kPort).count(TcpState::close_wait), kClients, kClients);
  stage.observe("bytes received", clients->received, 1000000);
}

// Requests that take 25 s; clients wait for 3 to 13 s and go.
void slow_batches(Stage& stage) {
  constexpr int kBatch = 40;
  const Actor<ServerTally> server("gunicorn", "", [](ServerTally& tally) {
    serve(tally, [&tally](Connection& each) {
      if (now() - each.since < 25s) return true;
      (void)receive(each);
      tally.answered += send_one(each.socket) ? 1 : 0;
      return false;
    });
  });
  stage.await("the server", [&] { return server->listening.load(); });
  const Actor<ClientTally> clients("batch", "", [](ClientTally& tally) {
    for (auto batch_at = now();; batch_at += 30s) {
      std::this_thread::sleep_until(batch_at);
      std::vector<FileDescriptor> connections;
      for (int each = 0; each < kBatch; ++each) {
        connections.push_back(try_to_connect("127.0.0.1", kPort).socket);
        send_one(connections.back());
      }
      std::this_thread::sleep_until(batch_at + 3s);
      for (auto& each : connections) {
        std::this_thread::sleep_for(250ms);
        each = FileDescriptor();
        ++tally.gave_up;
      }
    }
  });
  auto& kernel = stage.kernel();
  stage.evidence("a batch whose clients have gone",
                 [&] { return kernel.server(kPort).count(TcpState::close_wait) == kBatch; });
  stage.until_found();
  stage.observe("requests", server->accepted, 2 * kBatch);
  stage.observe("gave up", clients->gave_up, 2 * kBatch);
}

void replace_workers(Stage& stage, const PreforkPlan& plan) {
  const Prefork server(plan);
  const KeepAliveClients clients(plan.port, 100, 500ms);
  stage.evidence("replaced workers", [&] { return server.replaced() >= plan.workers; });
  stage.until_found();
  stage.observe("workers replaced", server.replaced(), 2 * plan.workers);
  stage.observe("answers", clients.answered(), 1000);
  stage.observe("failed requests", clients.failed(), 0, 0);
  stage.observe("overflows", stage.kernel().increase(&TcpCounters::listen_overflows), 0, 0);
}

}  // namespace

std::vector<Scenario> healthy_closing_scenarios() {
  return {{.id = "23d",
           .name = "pool-closed-for-idleness",
           .play = pool_closed_for_idleness,
           .look_alikes = {"close-wait-*"},
           .peer = true,
           .silence = 60s},
          {.id = "23e",
           .name = "half-closed-downloads",
           .play = half_closed_downloads,
           .look_alikes = {"close-wait-*"},
           .silence = 40s},
          {.id = "23f",
           .name = "slow-batches",
           .play = slow_batches,
           .look_alikes = {"close-wait-*", "accept-queue-*"},
           .silence = 60s},
          {.id = "23g",
           .name = "rolling-restart",
           .play = [](Stage& stage) { replace_workers(stage, {.comm = "gunicorn", .port = kPort}); },
           .look_alikes = {"close-wait-*", "accept-queue-*", "listener-*"},
           .silence = 30s},
          {.id = "23h",
           .name = "reload-under-load",
           .play =
               [](Stage& stage) {
                 replace_workers(stage, {.comm = "nginx", .port = kPort, .every = 4s, .all_at_once = true});
               },
           .look_alikes = {"close-wait-*", "accept-queue-*", "listener-*"},
           .silence = 30s}};
}

}  // namespace tcpdiag::incidents
