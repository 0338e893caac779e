// SPDX-License-Identifier: Apache-2.0
// Connections in CLOSE_WAIT and servers that are replaced, where nothing is wrong: no leak, no stall.
#include <poll.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "tests/incidents/actor.h"
#include "tests/incidents/http_clients.h"
#include "tests/incidents/real_servers.h"
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
        connection = try_to_connect("10.0.0.1", kPort).socket;
        ++tally.connected;
      }
      tally.received += connection && ask(connection.get(), "/", true) ? 1 : 0;
    }
  }
}

void pool_closed_for_idleness(Stage& stage) {
  constexpr std::size_t kSize = 300;
  const Nginx server({.port = kPort, .server = "keepalive_timeout 8s;"});
  const Actor<ClientTally> client("orders", "peer", [](ClientTally& tally) { use_pool(tally, kSize); });
  stage.evidence("the whole pool in CLOSE_WAIT",
                 [&] { return stage.peer().client(kPort).count(TcpState::close_wait) == kSize; });
  stage.until_found();
  stage.observe("found closed", client->found_closed, kSize);
  stage.observe("answers", client->received, 2 * kSize);
}

// Each gets 3 kB/s; its end has said that it sends no more.
void half_closed_downloads(Stage& stage) {
  constexpr std::size_t kClients = 40;
  const Nginx server({.port = kPort, .server = "limit_rate 3k;"});
  const Actor<ClientTally> clients("curl", "", [](ClientTally& tally) {
    constexpr std::string_view kRequest = "GET /large HTTP/1.0\r\n\r\n";
    std::vector<FileDescriptor> connections;
    while (connections.size() < kClients) {
      connections.push_back(try_to_connect("127.0.0.1", kPort).socket);
      (void)::send(connections.back().get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
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

// Under steady load, of which a part keeps its connections where the server does.
void reload(Stage& stage, const Prefork& server, bool keep_alive) {
  const HttpClients visitors({.port = kPort, .count = 50, .keep_alive = false});
  const HttpClients regulars({.port = kPort, .count = 100, .each_asks_every = 1s, .keep_alive = keep_alive});
  const Reloads reloads(server, 2s);
  stage.evidence("other workers", [&] { return reloads.done() > 0; });
  stage.until_found();
  stage.observe("reloads", reloads.done(), 3);
  stage.observe("answers", visitors.answered() + regulars.answered(), 1000);
  stage.observe("kept connections found closed", regulars.found_closed());
  stage.observe("failed requests", visitors.failed() + regulars.failed(), 0, 0);
  stage.observe("overflows", stage.kernel().increase(&TcpCounters::listen_overflows), 0, 0);
}

}  // namespace

std::vector<Scenario> healthy_closing_scenarios() {
  return {{.id = "23d",
           .name = "pool-closed-for-idleness",
           .play = pool_closed_for_idleness,
           .look_alikes = {"close-wait-*"},
           .peer = true,
           .silence = 60s,
           .needs = "nginx"},
          {.id = "23e",
           .name = "half-closed-downloads",
           .play = half_closed_downloads,
           .look_alikes = {"close-wait-*"},
           .silence = 40s,
           .needs = "nginx"},
          {.id = "23f",
           .name = "slow-batches",
           .play = slow_batches,
           .look_alikes = {"close-wait-*", "accept-queue-*"},
           .silence = 60s},
          {.id = "23g",
           .name = "gunicorn-rolling-restart",
           .play = [](Stage& stage) { reload(stage, Gunicorn(kPort, 4), false); },
           .look_alikes = {"close-wait-*", "accept-queue-*", "listener-*"},
           .silence = 40s,
           .needs = "gunicorn"},
          {.id = "23h",
           .name = "nginx-reload-under-load",
           .play = [](Stage& stage) { reload(stage, Nginx({.port = kPort}), true); },
           .look_alikes = {"close-wait-*", "accept-queue-*", "listener-*"},
           .silence = 30s,
           .needs = "nginx"}};
}

}  // namespace tcpdiag::incidents
