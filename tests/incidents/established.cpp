// SPDX-License-Identifier: Apache-2.0
// Connections that are open and on which nothing goes on: requests that are not read, peers that are gone.
// And what only looks like it.
#include <poll.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "tests/incidents/acceptor.h"
#include "tests/incidents/actor.h"
#include "tests/incidents/stage.h"
#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000, kUpstreamPort = 6000;
constexpr unsigned kPool = 5;

struct ServerTally {
  std::atomic<bool> listening = false, reading = false;
  std::atomic<std::uint32_t> accepted = 0, answered = 0;
};

struct Connection {
  FileDescriptor socket;
  std::uint32_t number = 0;
};

// Accepts what comes, and lets `turn` decide what it reads: it is called for all connections every 10 ms.
void serve(ServerTally& tally, std::uint16_t port,
           const std::function<void(ServerTally&, std::vector<Connection>&)>& turn) {
  const auto listener = listen_on("0.0.0.0", port, {.backlog = 511});
  tally.listening = true;
  std::vector<Connection> connections;
  for (;;) {
    pollfd readable{.fd = listener.get(), .events = POLLIN};
    while (::poll(&readable, 1, 10) == 1) {
      connections.push_back({accept_from(listener), tally.accepted});
      ++tally.accepted;
    }
    turn(tally, connections);
  }
}

bool read_some(ServerTally& tally, const Connection& connection, std::size_t most) {
  std::vector<char> bytes(most);
  if (::recv(connection.socket.get(), bytes.data(), most, MSG_DONTWAIT) <= 0) return false;
  if (::send(connection.socket.get(), "!", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) ++tally.answered;
  return true;
}

// A server whose requests wait for a place in a pool: it accepts, and reads nothing until it is told to.
void wait_for_the_pool(ServerTally& tally) {
  std::vector<FileDescriptor> pool;
  while (pool.size() < kPool) {
    pool.push_back(try_to_connect("127.0.0.1", kUpstreamPort).socket);
    ::send(pool.back().get(), "?", 1, MSG_NOSIGNAL);
  }
  serve(tally, kPort, [](ServerTally& all, std::vector<Connection>& connections) {
    if (!all.reading) return;
    for (const auto& each : connections) (void)read_some(all, each, 4096);
  });
}

struct ClientTally {
  std::atomic<std::uint32_t> connected = 0, answers = 0;
  std::atomic<bool> speak = false;
};

// Clients that ask `length` bytes at once, and again `again` times as soon as they have their answer.
struct Asking {
  std::uint16_t port = kPort;
  std::size_t length = 100;
  unsigned count = 1;
  std::chrono::milliseconds apart{0};
  bool again = false;
  bool pours = false;  // sends as much as it can, all the time
};

void ask(ClientTally& tally, const Asking& plan) {
  const std::string request(plan.length, '?');
  std::vector<FileDescriptor> connections;
  auto next_at = now();
  for (;;) {
    if (connections.size() < plan.count && now() >= next_at) {
      connections.push_back(try_to_connect("127.0.0.1", plan.port).socket);
      ::send(connections.back().get(), request.data(), request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      ++tally.connected;
      next_at += plan.apart;
      if (plan.apart == 0ms) continue;
    }
    for (const auto& each : connections) {
      char answer[64];
      const auto length = ::recv(each.get(), answer, sizeof answer, MSG_DONTWAIT);
      if (length > 0) tally.answers += static_cast<std::uint32_t>(length);
      if ((length > 0 && plan.again) || plan.pours)
        ::send(each.get(), request.data(), request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    std::this_thread::sleep_for(5ms);
  }
}

Actor<ClientTally> clients_that(const Asking& plan) {
  return {"client", "", [plan](ClientTally& tally) { ask(tally, plan); }};
}

void requests_wait(Stage& stage, const Asking& plan, std::uint32_t evidence) {
  const Acceptor upstream({.comm = "postgres", .port = kUpstreamPort});
  const Actor<ServerTally> server("gunicorn", "", wait_for_the_pool);
  stage.await("the server", [&] { return server->listening.load(); });
  const auto clients = clients_that(plan);
  auto& kernel = stage.kernel();
  stage.evidence("requests that are not read", [&] { return kernel.server(kPort).unread >= evidence; });
  stage.until_found();
  const auto at_the_end = kernel.server(kPort);
  stage.observe("accepted", at_the_end.accepted, evidence);
  stage.observe("with unread data", at_the_end.unread, at_the_end.accepted - 1, at_the_end.accepted);
  stage.observe("un-accepted", at_the_end.unaccepted, 0, 1);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  server->reading = true;
  stage.until_closed();
  stage.observe("answers", clients->answers, evidence);
}

// Servers that read, each in its own way, though nearly all their connections have unread data at any time.
void slow_but_reading(Stage& stage) {
  constexpr std::uint16_t kOneByOne = 5001, kPipelined = 5002, kUploads = 5003, kPaused = 5004;
  const auto server = [](std::uint16_t port, auto turn) {
    return Actor<ServerTally>("server", "", [port, turn](ServerTally& tally) { serve(tally, port, turn); });
  };
  // One request every 20 ms, of whichever connection is next: the others wait.
  const auto one_by_one = server(kOneByOne, [next = std::size_t{0}](auto& tally, auto& connections) mutable {
    if (!connections.empty()) (void)read_some(tally, connections[++next % connections.size()], 4096);
  });
  // Of each connection one request of ten bytes a second.
  const auto pipelined = server(kPipelined, [next_at = TimePoint()](auto& tally, auto& connections) mutable {
    if (now() < next_at) return;
    next_at = now() + 1s;
    for (const auto& each : connections) (void)read_some(tally, each, 10);
  });
  const auto uploads = server(kUploads, [](auto& tally, auto& connections) {
    for (const auto& each : connections) (void)read_some(tally, each, 2048);
  });
  // Five clients are not read for long, all others are.
  const auto paused = server(kPaused, [](auto& tally, auto& connections) {
    for (const auto& each : connections)
      if (each.number >= 5) (void)read_some(tally, each, 4096);
  });
  for (const auto* each : {&one_by_one, &pipelined, &uploads, &paused})
    stage.await("a server", [each] { return (*each)->listening.load(); });
  const auto busy = clients_that({.port = kOneByOne, .count = 100, .again = true});
  const auto pipelining = clients_that({.port = kPipelined, .length = 2000, .count = 40});
  const auto uploading = clients_that({.port = kUploads, .length = 65536, .count = 20, .pours = true});
  const auto others = clients_that({.port = kPaused, .count = 60, .again = true});
  auto& kernel = stage.kernel();
  stage.evidence("connections with unread data", [&] {
    return kernel.server(kOneByOne).unread >= 80 && kernel.server(kPipelined).unread >= 40 &&
           kernel.server(kUploads).unread >= 10 && kernel.server(kPaused).unread >= 5;
  });
  stage.until_found();
  stage.observe("answers one by one", busy->answers, 500);
  stage.observe("answers of the pipelined", pipelining->answers, 400);
  stage.observe("reads of uploads", uploads->answered, 1000);
  stage.observe("paused clients", kernel.server(kPaused).unread, 5);
}

// What is sent to the peer goes to an address of the link that it does not have.
void lose_the_peer() { run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev to-peer nud permanent"); }
void find_the_peer() { run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev to-peer nud permanent"); }

void peer_vanishes(Stage& stage) {
  constexpr std::uint16_t kRedis = 6379;
  constexpr std::uint32_t kConnections = 20;
  const Actor<ServerTally> server("redis-server", "peer", [](ServerTally& tally) {
    serve(tally, kRedis, [](ServerTally& all, std::vector<Connection>& connections) {
      for (const auto& each : connections) (void)read_some(all, each, 4096);
    });
  });
  stage.await("the server", [&] { return server->listening.load(); });
  const Actor<ClientTally> client("orders", "", [](ClientTally& tally) {
    std::vector<FileDescriptor> pool;
    while (pool.size() < kConnections) pool.push_back(try_to_connect("10.0.0.2", kRedis).socket);
    tally.connected = kConnections;
    while (!tally.speak) std::this_thread::sleep_for(5ms);
    for (const auto& each : pool) ::send(each.get(), "PING\r\n", 6, MSG_NOSIGNAL);
    for (const auto& each : pool) {
      char answer = 0;
      tally.answers += ::recv(each.get(), &answer, 1, 0) == 1 ? 1 : 0;
    }
    for (;;) std::this_thread::sleep_for(1s);
  });
  stage.await("the pool",
              [&] { return client->connected == kConnections && server->accepted == kConnections; });
  lose_the_peer();
  client->speak = true;
  auto& kernel = stage.kernel();
  const auto silent = [&] {
    const auto peers = kernel.connections().silent_peers;
    return peers.empty() ? 0 : peers.front().connections;
  };
  stage.evidence("timers that have fired four times", [&] { return silent() == kConnections; });
  stage.until_found();
  stage.observe("not acknowledged", silent(), kConnections, kConnections);
  stage.observe("answers", client->answers, 0, 0);
  find_the_peer();
  stage.until_closed();
  stage.await("all answers", [&] { return client->answers == kConnections; }, 60s);
}

}  // namespace

std::vector<Scenario> established_scenarios() {
  return {
      {.id = "27",
       .name = "requests-not-read",
       .play = [](Stage& stage) { requests_wait(stage, {.count = 60}, 60); },
       .expected = {{.id = "requests-not-read",
                     .port = kPort,
                     .process = "gunicorn",
                     .severity = "warning",
                     .says = "60 of 60 connections",
                     .within = 25s}},
       .look_alikes = {"accept-queue-*", "close-wait-*", "peer-vanished"}},
      {.id = "27b",
       .name = "requests-not-read-growing",
       .play = [](Stage& stage) { requests_wait(stage, {.count = 240, .apart = 150ms}, 20); },
       .expected = {{.id = "requests-not-read",
                     .port = kPort,
                     .process = "gunicorn",
                     .severity = "critical",
                     .says = "127.0.0.1:6000",
                     .within = 50s}},
       .look_alikes = {"accept-queue-*", "close-wait-*", "peer-vanished"}},
      {.id = "27c",
       .name = "slow-but-reading",
       .play = slow_but_reading,
       .look_alikes = {"requests-not-read", "accept-queue-*"},
       .silence = 45s},
      {.id = "28",
       .name = "peer-vanished",
       .play = peer_vanishes,
       .expected = {{.id = "peer-vanished", .port = 6379, .severity = "warning", .says = "20 connections"}},
       .look_alikes = {"syn-sent-unanswered", "path-lossy", "close-wait-*"},
       .peer = true}};
}

}  // namespace tcpdiag::incidents
