// SPDX-License-Identifier: Apache-2.0
// Accept queues that are full: because the backlog is small, or because nobody accepts.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <memory>
#include <vector>

#include "tests/incidents/actor.h"
#include "tests/incidents/clients.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"
#include "tests/shell.h"
#include "tests/sockets.h"

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
  stage.await("all clients to be accepted", [&] {
    longest = std::max(longest, kernel.queue(kPort));
    return server.accepted() == 400;
  });
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

// The server accepts again after some seconds, as after a long garbage collection.
void stalled_for(Stage& stage, std::chrono::milliseconds time) {
  Server server({.port = kPort, .backlog = 128, .stuck = true});
  const Clients clients({.port = kPort, .count = 300, .speak = true});
  auto& kernel = stage.kernel();
  stage.evidence("an overflow of the full queue", [&] {
    return kernel.queue_is_full(kPort) && kernel.increase(&TcpCounters::listen_overflows) > 0;
  });
  stage.await("the end of the stall", [&] { return now() >= *stage.evidence_at() + time; });
  server.get_unstuck();
  stage.until_found();
  stage.await("all clients to be accepted", [&] { return server.accepted() == 300; });
  stage.until_closed();
}

// The same with a queue that is far from full, or just full: nobody is turned away.
void hung(Stage& stage, int backlog, unsigned clients_at_once) {
  Server server({.port = kPort, .backlog = backlog, .stuck = true});
  const Clients clients({.port = kPort, .count = clients_at_once});
  auto& kernel = stage.kernel();
  stage.evidence("all clients to wait", [&] { return kernel.queue(kPort) == clients_at_once; });
  stage.until_found();
  stage.observe("queue", kernel.queue(kPort), clients_at_once, clients_at_once);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  server.get_unstuck();
  stage.until_closed();
}

struct ServingTally {
  std::atomic<bool> listening = false, goes_on = false;
  std::atomic<std::uint32_t> accepted = 0;
};

void accept_all(int listener, ServingTally& tally) {
  for (;;) {
    const FileDescriptor connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) ++tally.accepted;
  }
}

// A worker that waits for what its first client never sends, and its master, which holds the listener too.
void prefork(ServingTally& tally) {
  const auto listener = listen_on("0.0.0.0", kPort, {.backlog = 2048});
  if (::fork() == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    tally.listening = true;
    pollfd somebody{.fd = listener.get(), .events = POLLIN};
    ::poll(&somebody, 1, -1);
    const FileDescriptor first(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ++tally.accepted;
    const timeval patience{.tv_usec = 200'000};
    ::setsockopt(first.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char byte = 0;
    while (!tally.goes_on) (void)::recv(first.get(), &byte, 1, 0);
    accept_all(listener.get(), tally);
  }
  for (;;) ::poll(nullptr, 0, 1000);
}

void silent_client(Stage& stage) {
  const Actor<ServingTally> server("gunicorn", "", prefork);
  wait_until("the worker to listen", [&] { return server->listening.load(); });
  const Clients silent({.port = kPort});
  stage.await("the silent client to be accepted", [&] { return server->accepted == 1; });
  const Clients clients({.port = kPort, .count = 40});
  auto& kernel = stage.kernel();
  stage.evidence("all others to wait", [&] { return kernel.queue(kPort) == 40; });
  stage.until_found();
  stage.observe("queue", kernel.queue(kPort), 40, 40);
  server->goes_on = true;
  stage.until_closed();
}

// A proxy that has as many connections as it allows itself, and takes no notice of its listener until some
// go.
void at_its_maximum(ServingTally& tally) {
  constexpr std::uint32_t kMost = 30;
  const auto listener = listen_on("0.0.0.0", kPort, {.backlog = 128});
  const FileDescriptor events(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<FileDescriptor> connections;
  tally.listening = true;
  for (;;) {
    const std::size_t most = tally.goes_on ? 1000 : kMost;
    while (connections.size() < most) {
      pollfd readable{.fd = listener.get(), .events = POLLIN};
      if (::poll(&readable, 1, 20) != 1) break;
      connections.emplace_back(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      tally.accepted = static_cast<std::uint32_t>(connections.size());
    }
    epoll_event event{};
    ::epoll_wait(events.get(), &event, 1, 1000);
  }
}

void own_maximum(Stage& stage) {
  const Actor<ServingTally> server("haproxy", "", at_its_maximum);
  wait_until("the proxy to listen", [&] { return server->listening.load(); });
  const Clients clients({.port = kPort, .count = 70});
  auto& kernel = stage.kernel();
  stage.evidence("40 clients to wait beside 30",
                 [&] { return server->accepted == 30 && kernel.queue(kPort) == 40; });
  stage.until_found();
  stage.observe("accepted", server->accepted, 30, 30);
  stage.observe("queue", kernel.queue(kPort), 40, 40);
  server->goes_on = true;
  stage.until_closed();
}

// One by one, as slowly as they come: somebody always waits, and nobody for long.
void slow_and_steady(Stage& stage) {
  const Server server({.port = kPort, .backlog = 128, .per_accept = 400ms});
  const Clients first({.port = kPort, .count = 4});
  const Clients others({.port = kPort, .count = 60, .apart = 400ms});
  auto& kernel = stage.kernel();
  stage.evidence("clients to be accepted while others wait",
                 [&] { return server.accepted() >= 5 && kernel.queue(kPort) > 0; });
  stage.until_found();
  stage.observe("accepted", server.accepted(), 20);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
}

// One connection every few seconds, of a queue that is far from full.
void slow_far_from_full(Stage& stage) {
  Server server({.port = kPort, .backlog = 511, .per_accept = 4s});
  const Clients clients({.port = kPort, .count = 40});
  auto& kernel = stage.kernel();
  stage.evidence("clients to be accepted while others wait",
                 [&] { return server.accepted() >= 3 && kernel.queue(kPort) > 30; });
  stage.until_found();
  stage.observe("accepted", server.accepted(), 3, 12);
  stage.observe("queue", kernel.queue(kPort), 28, 38);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  server.end();
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

// The same while clients go on coming, which the others serve.
void one_worker_stuck_under_load(Stage& stage) {
  const ServerPlan plan{.port = kPort, .backlog = 32, .reuse_port = true};
  auto hanging = plan;
  hanging.comm = "stuck-worker";
  hanging.stuck = true;
  const std::array<Server, 3> workers{Server(plan), Server(plan), Server(plan)};
  Server stuck(hanging);
  const Clients clients({.port = kPort, .count = 2400, .apart = 6ms});
  auto& kernel = stage.kernel();
  stage.evidence("an overflow of the full queue", [&] {
    return kernel.queue_is_full(kPort) && kernel.increase(&TcpCounters::listen_overflows) > 0;
  });
  stage.until_found();
  stage.observe("queue", kernel.queue(kPort), 33, 33);
  for (const auto& each : workers) stage.observe("accepted", each.accepted(), 50);
  stuck.get_unstuck();
  stage.until_closed();
}

// The same on a machine that has ten times as much to do as it can.
void one_worker_stuck_beside_others(Stage& stage) {
  std::array<Process, 20> busy;
  for (auto& each : busy)
    each = Process("busy", "", [] {
      for (std::atomic<unsigned> turns = 0;;) ++turns;
    });
  one_worker_stuck_under_load(stage);
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
  // Of three to five seconds each is a stall, and none a burst; at which second it ends is no matter of
  // chance.
  const auto for_some_time = [&](const char* id, const char* name, std::chrono::milliseconds time) {
    return Scenario{.id = id,
                    .name = name,
                    .play = [time](Stage& stage) { stalled_for(stage, time); },
                    .expected = expected,
                    .look_alikes = {"accept-queue-backlog-small", "syn-flood-suspected"}};
  };
  return {over("2", "accept-queue-stuck", kV4), over("2v6", "accept-queue-stuck-ipv6", kV6),
          over("2dual", "accept-queue-stuck-dual-stack", kDualStack),
          for_some_time("2s3", "accept-queue-stall-of-3-seconds", 3400ms),
          for_some_time("2s5", "accept-queue-stall-of-5-seconds", 5s)};
}

std::vector<Scenario> not_accepted() {
  const auto waiting = [](std::string says) {
    return std::vector<Expected>{{.id = "accept-queue-waiting",
                                  .port = kPort,
                                  .process = "gunicorn",
                                  .severity = "critical",
                                  .says = std::move(says),
                                  .within = 5s}};
  };
  return {{.id = "2b",
           .name = "accept-queue-hung-far-from-full",
           .play = [](Stage& stage) { hung(stage, 2048, 40); },
           .expected = waiting("40 connections wait (there is room for 2049)"),
           .look_alikes = {"accept-queue-app-*", "accept-queue-backlog-small"}},
          {.id = "2c",
           .name = "accept-queue-hung-just-full",
           .play = [](Stage& stage) { hung(stage, 16, 17); },
           .expected = {{.id = "accept-queue-app-stalled",
                         .port = kPort,
                         .process = "gunicorn",
                         .severity = "critical",
                         .within = 5s}},
           .look_alikes = {"accept-queue-waiting", "accept-queue-backlog-small"}},
          {.id = "2d",
           .name = "accept-queue-silent-client",
           .play = silent_client,
           .expected = waiting("; its worker, pid "),
           .look_alikes = {"accept-queue-app-*"}},
          {.id = "2e",
           .name = "accept-queue-own-limit",
           .play = own_maximum,
           .expected = {{.id = "own-limit-reached",
                         .port = kPort,
                         .process = "haproxy",
                         .severity = "warning",
                         .says = "stayed at exactly 30"}},
           .look_alikes = {"accept-queue-*"}},
          {.id = "2f",
           .name = "accept-queue-slow-far-from-full",
           .play = slow_far_from_full,
           .expected = {{.id = "accept-queue-app-slow",
                         .port = kPort,
                         .process = "gunicorn",
                         .severity = "warning",
                         .says = "connections wait in it, the first for "}},
           .look_alikes = {"accept-queue-backlog-small", "accept-queue-app-stalled"},
           .allowed = {{.id = "accept-queue-waiting", .why = "until it is seen to accept"},
                       {.id = "listener-exit", .why = "at the end its server is gone"}}},
          {.id = "1d", .name = "accept-queue-slow-and-steady", .play = slow_and_steady}};
}

std::vector<Scenario> accept_blocked() {
  const std::vector<Expected> expected{
      {.id = "fd-limit-accept-blocked", .process = "gunicorn", .severity = "critical", .within = 5s}};
  const std::vector<Allowed> allowed{
      {.id = "fd-limit-*", .why = "the process is at its limit, whatever waits for it"}};
  const std::vector<Expected> stuck_worker{{.id = "accept-queue-one-listener-stuck",
                                            .port = kPort,
                                            .process = "stuck-worker",
                                            .severity = "critical",
                                            .within = 5s}};
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
           .expected = stuck_worker,
           .look_alikes = {"accept-queue-backlog-small", "accept-queue-app-stalled"}},
          {.id = "4d",
           .name = "reuseport-one-stuck-under-load",
           .play = one_worker_stuck_under_load,
           .expected = stuck_worker,
           .look_alikes = {"accept-queue-backlog-small", "accept-queue-app-*"}},
          {.id = "4e",
           .name = "reuseport-one-stuck-busy-machine",
           .play = one_worker_stuck_beside_others,
           .expected = stuck_worker,
           .look_alikes = {"accept-queue-backlog-small", "accept-queue-app-*"},
           .load = true},
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
  for (const auto& scenarios : {backlog_small(), app_stalled(), not_accepted(), accept_blocked()})
    all.insert(all.end(), scenarios.begin(), scenarios.end());
  return all;
}

}  // namespace tcpdiag::incidents
