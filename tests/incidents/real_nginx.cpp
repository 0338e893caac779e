// SPDX-License-Identifier: Apache-2.0
// What goes wrong with the real nginx: a worker that is stopped, and a limit of its own that is too small.
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <thread>
#include <vector>

#include "tests/incidents/clients.h"
#include "tests/incidents/http_clients.h"
#include "tests/incidents/real_servers.h"
#include "tests/incidents/stage.h"
#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

// Every worker holds every member of the group, so that the sockets do not tell whose queue it is.
void one_worker_stopped(Stage& stage) {
  const Nginx server({.port = kPort, .workers = 4, .listen = "reuseport backlog=32"});
  const auto stopped = server.workers().at(2);
  ::kill(stopped, SIGSTOP);
  const Clients clients({.port = kPort, .count = 240});
  auto& kernel = stage.kernel();
  stage.evidence("an overflow of the full queue", [&] {
    return kernel.queue_is_full(kPort) && kernel.increase(&TcpCounters::listen_overflows) > 0;
  });
  stage.until_found();
  stage.observe("members", kernel.listener(kPort)->sockets.size(), 4, 4);
  stage.observe("queue", kernel.queue(kPort), 33, 33);
  ::kill(stopped, SIGCONT);
  stage.until_closed();
}

struct DownloadTally {
  std::atomic<std::uint32_t> answered = 0, lost = 0;
};

// One client after the other wants what takes long.
void download_on(DownloadTally& tally) {
  std::vector<FileDescriptor> kept;
  for (;;) {
    constexpr std::string_view kRequest = "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
    auto connection = try_to_connect("10.0.0.1", kPort).socket;
    char bytes[1024];
    const bool answered = connection &&
                          ::send(connection.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0 &&
                          ::recv(connection.get(), bytes, sizeof bytes, 0) > 0;
    ++(answered ? tally.answered : tally.lost);
    if (answered) kept.push_back(std::move(connection));
    std::this_thread::sleep_for(50ms);
  }
}

void too_few_connections(Stage& stage) {
  const Nginx server({.port = kPort, .workers = 1, .worker_connections = 20, .server = "limit_rate 1k;"});
  Actor<DownloadTally> clients("curl", "peer", download_on);
  auto& kernel = stage.kernel();
  stage.evidence("clients that are turned away", [&] { return clients->lost >= 20; });
  stage.until_found();
  stage.observe("answered", clients->answered, 10, 20);
  stage.observe("lost", clients->lost, 20);
  stage.observe("resets while data arrived", kernel.increase(&TcpCounters::abort_on_data));
  stage.observe("resets with unread data", kernel.increase(&TcpCounters::abort_on_close));
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  if (server.log().find("worker_connections are not enough") == std::string::npos)
    throw NotStaged("nginx does not say that its connections are used up");
  clients.end();
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> real_nginx_scenarios() {
  return {{.id = "4c",
           .name = "nginx-reuseport-one-stopped",
           .play = one_worker_stopped,
           .expected = {{.id = "accept-queue-one-listener-stuck",
                         .port = kPort,
                         .process = "nginx",
                         .severity = "critical",
                         .says = "is stopped (by SIGSTOP",
                         .within = 5s}},
           .look_alikes = {"accept-queue-backlog-small", "accept-queue-app-stalled"},
           .needs = "nginx"},
          {.id = "20n",
           .name = "nginx-worker-connections",
           .play = too_few_connections,
           .expected = {{.id = "own-limit-closes",
                         .port = kPort,
                         .process = "nginx",
                         .limit = "worker_connections",
                         .severity = "warning"}},
           .look_alikes = {"accept-queue-*"},
           .allowed = {{.id = "app-reset", .why = "until two dumps show that as many as before are open"}},
           .peer = true,
           .needs = "nginx"}};
}

}  // namespace tcpdiag::incidents
