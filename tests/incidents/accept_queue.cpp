// SPDX-License-Identifier: Apache-2.0
// Accept queues that are full: because the backlog is small, or because nobody accepts.
#include <algorithm>
#include <array>
#include <memory>

#include "tests/incidents/clients.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

// Where the server listens and where its clients find it.
struct Way {
  std::string server, client;
};
const Way kV4{"0.0.0.0", "127.0.0.1"}, kV6{"::1", "::1"}, kDualStack{"::", "127.0.0.1"};

// 400 clients at once are more than the queue holds, but the server accepts all the time.
void burst(Stage& stage, const Way& way) {
  const Server server({.address = way.server, .port = kPort, .backlog = 128, .per_accept = 5ms});
  const Clients clients({.address = way.client, .port = kPort, .count = 400, .speak = true});
  auto& kernel = stage.kernel();
  std::uint32_t longest = 0;
  stage.evidence("an overflow", [&] {
    longest = std::max(longest, kernel.queue(kPort));
    return kernel.increase(&TcpCounters::listen_overflows) > 0;
  });
  stage.await("all clients to be accepted", [&] { return server.accepted() == 400; });
  stage.observe("longest queue", longest, 65);  // as far as a look came at the right moment
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 50);
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent));
  stage.observe("connected", clients.connected(), 400);
  stage.until_found();
  stage.until_closed();
}

// The same clients one after the other.
void paced(Stage& stage) {
  const Server server({.port = kPort, .backlog = 128, .per_accept = 5ms});
  const Clients clients({.port = kPort, .count = 400, .apart = 20ms});
  auto& kernel = stage.kernel();
  stage.await("all clients to be connected", [&] { return clients.connected() == 400; });
  stage.until_found();
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent), 0, 0);
  stage.observe("accepted", server.accepted(), 400);
}

// The server never accepts.
void stuck(Stage& stage, const Way& way) {
  Server server({.address = way.server, .port = kPort, .backlog = 128, .stuck = true});
  const Clients clients({.address = way.client, .port = kPort, .count = 300});
  auto& kernel = stage.kernel();
  stage.evidence("an overflow of the full queue", [&] {
    return kernel.queue_is_full(kPort) && kernel.increase(&TcpCounters::listen_overflows) > 0;
  });
  stage.until_found();
  stage.observe("queue", kernel.queue(kPort), 129, 129);
  stage.observe("un-accepted", kernel.server(kPort).unaccepted, 129, 129);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 171);
  stage.observe("accepted", server.accepted(), 0, 0);
  server.get_unstuck();
  stage.until_closed();
}

// The server would accept, but has no descriptor left for it.
void out_of_fds(Stage& stage, unsigned max_fds, unsigned clients_at_once, std::uint32_t accepted,
                std::uint32_t queued) {
  const Server server({.port = kPort, .backlog = 128, .max_fds = max_fds});
  const Clients clients({.port = kPort, .count = clients_at_once});
  auto& kernel = stage.kernel();
  const auto waiting = std::min(queued, 129U);
  stage.evidence("connections that wait for a descriptor",
                 [&] { return server.fds_exhausted() > 0 && kernel.queue(kPort) == waiting; });
  stage.until_found();
  stage.observe("open fds", server.open_fds(), max_fds, max_fds);
  stage.observe("accepted", server.accepted(), accepted, accepted);
  stage.observe("queue", kernel.queue(kPort), waiting, waiting);
  const auto overflows = kernel.increase(&TcpCounters::listen_overflows);
  if (queued > waiting)
    stage.observe("overflows", overflows, queued - waiting);
  else
    stage.observe("overflows", overflows, 0, 0);
  server.raise_fd_limit(4096);
  stage.until_closed();
}

// Four workers with a queue of their own each; one of them hangs.
void one_worker_stuck(Stage& stage) {
  const ServerPlan plan{.port = kPort, .backlog = 32, .reuse_port = true};
  auto hanging = plan;
  hanging.comm = "stuck-worker";
  hanging.stuck = true;
  const std::array<Server, 3> workers{Server(plan), Server(plan), Server(plan)};
  Server stuck(hanging);
  const Clients clients({.port = kPort, .count = 240});
  auto& kernel = stage.kernel();
  stage.evidence("an overflow of the full queue", [&] {
    return kernel.queue_is_full(kPort) && kernel.increase(&TcpCounters::listen_overflows) > 0;
  });
  stage.until_found();
  const auto listener = kernel.listener(kPort);
  stage.observe("members", listener->sockets.size(), 4, 4);
  stage.observe("full members",
                static_cast<std::uint64_t>(std::ranges::count_if(
                    listener->sockets, [](const auto& socket) { return fill_ratio(socket) >= 1; })),
                1, 1);
  stage.observe("queue", kernel.queue(kPort), 33, 33);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 1);
  stuck.get_unstuck();
  stage.until_closed();
}

// Three servers whose small queues overflow at the same moments and are empty again a moment later.
void burst_at_three(Stage& stage) {
  const auto server = [](std::uint16_t port) {
    return std::make_unique<Server>(ServerPlan{.port = port, .backlog = 8, .per_accept = 1ms});
  };
  const auto clients = [](std::uint16_t port) {
    return std::make_unique<Clients>(ClientPlan{.port = port, .count = 40, .speak = true});
  };
  const std::array servers{server(kPort), server(kPort + 1), server(kPort + 2)};
  const std::array bursts{clients(kPort), clients(kPort + 1), clients(kPort + 2)};
  auto& kernel = stage.kernel();
  stage.evidence("an overflow", [&] { return kernel.increase(&TcpCounters::listen_overflows) > 0; });
  for (const auto& each : servers)
    stage.await("all clients to be accepted", [&] { return each->accepted() == 40; });
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 30);
  stage.until_found();
  stage.until_closed();
}

// A group whose members all accept, but each more slowly than its clients come.
void all_workers_slow(Stage& stage) {
  const ServerPlan plan{.port = kPort, .backlog = 16, .per_accept = 200ms, .reuse_port = true};
  const std::array<Server, 3> workers{Server(plan), Server(plan), Server(plan)};
  Clients clients({.port = kPort, .count = 1500, .apart = 15ms});
  auto& kernel = stage.kernel();
  stage.evidence("an overflow of a full queue", [&] {
    return kernel.queue_is_full(kPort) && kernel.increase(&TcpCounters::listen_overflows) > 0;
  });
  stage.until_found();
  for (const auto& each : workers) stage.observe("accepted", each.accepted(), 20);
  clients.end();
  stage.until_closed();
}

std::vector<Scenario> backlog_small() {
  const std::vector<Expected> expected{{.id = "accept-queue-backlog-small",
                                        .port = kPort,
                                        .process = "gunicorn",
                                        .limit = "backlog",
                                        .limit_value = 128}};
  const std::vector<std::string> look_alikes{"accept-queue-app-stalled", "syn-flood-suspected"};
  const auto over = [&](const char* id, const char* name, const Way& way) {
    return Scenario{.id = id,
                    .name = name,
                    .play = [way](Stage& stage) { burst(stage, way); },
                    .expected = expected,
                    .look_alikes = look_alikes};
  };
  const auto small = [](std::uint16_t port) {
    return Expected{.id = "accept-queue-backlog-small", .port = port, .limit = "backlog", .limit_value = 8};
  };
  return {over("1", "accept-queue-burst", kV4),
          over("1v6", "accept-queue-burst-ipv6", kV6),
          over("1dual", "accept-queue-burst-dual-stack", kDualStack),
          {.id = "1x3",
           .name = "accept-queue-burst-three-listeners",
           .play = burst_at_three,
           .expected = {small(kPort), small(kPort + 1), small(kPort + 2)},
           .look_alikes = look_alikes},
          {.id = "1b", .name = "accept-queue-paced", .play = paced}};
}

std::vector<Scenario> app_stalled() {
  const std::vector<Expected> expected{{.id = "accept-queue-app-stalled",
                                        .port = kPort,
                                        .process = "gunicorn",
                                        .severity = "critical",
                                        .within = 5s}};
  const auto over = [&](const char* id, const char* name, const Way& way) {
    return Scenario{.id = id,
                    .name = name,
                    .play = [way](Stage& stage) { stuck(stage, way); },
                    .expected = expected,
                    .look_alikes = {"accept-queue-backlog-small"}};
  };
  return {over("2", "accept-queue-stuck", kV4), over("2v6", "accept-queue-stuck-ipv6", kV6),
          over("2dual", "accept-queue-stuck-dual-stack", kDualStack)};
}

std::vector<Scenario> accept_blocked() {
  const std::vector<Expected> expected{
      {.id = "fd-limit-accept-blocked", .process = "gunicorn", .severity = "critical", .within = 5s}};
  const std::vector<Allowed> allowed{
      {.id = "fd-limit-*", .why = "the process is at its limit, whatever waits for it"}};
  return {{.id = "3",
           .name = "fd-limit-queue-overflow",
           .play = [](Stage& stage) { out_of_fds(stage, 64, 500, 60, 440); },
           .expected = expected,
           .look_alikes = {"accept-queue-*"},
           .allowed = allowed},
          {.id = "3b",
           .name = "fd-limit-queue-waits",
           .play = [](Stage& stage) { out_of_fds(stage, 10, 20, 6, 14); },
           .expected = expected,
           .look_alikes = {"accept-queue-*"},
           .allowed = allowed},
          {.id = "4",
           .name = "reuseport-one-stuck",
           .play = one_worker_stuck,
           .expected = {{.id = "accept-queue-one-listener-stuck",
                         .port = kPort,
                         .process = "stuck-worker",
                         .severity = "critical",
                         .within = 5s}},
           .look_alikes = {"accept-queue-backlog-small", "accept-queue-app-stalled"}},
          {.id = "4b",
           .name = "reuseport-all-slow",
           .play = all_workers_slow,
           .expected = {{.id = "accept-queue-app-slow", .port = kPort}},
           .look_alikes = {"accept-queue-one-listener-stuck", "accept-queue-app-stalled"},
           .allowed = {{.id = "syn-queue-*", .why = "before it has lasted, SYNs find the queue full"},
                       {.id = "close-wait-unaccepted", .why = "clients that go wait in the queue"},
                       {.id = "accept-overflow-late-reset", .why = "some handshakes end while it is full"}}}};
}

}  // namespace

std::vector<Scenario> accept_queue_scenarios() {
  std::vector<Scenario> all;
  for (const auto& scenarios : {backlog_small(), app_stalled(), accept_blocked()})
    all.insert(all.end(), scenarios.begin(), scenarios.end());
  return all;
}

}  // namespace tcpdiag::incidents
