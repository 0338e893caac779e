// SPDX-License-Identifier: Apache-2.0
// Accept queues that are full: because the backlog is small, or because nobody accepts.
#include "tests/incidents/clients.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

// 400 clients at once are more than the queue holds, but the server accepts all the time.
void burst(Stage& stage) {
  const Server server({.port = kPort, .backlog = 128, .per_accept = 5ms});
  const Clients clients({.port = kPort, .count = 400, .speak = true});
  auto& kernel = stage.kernel();
  std::uint32_t longest = 0;
  stage.evidence("an overflow", [&] {
    longest = std::max(longest, kernel.queue(kPort));
    return longest > 128 && kernel.increase(&TcpCounters::listen_overflows) > 0;
  });
  stage.await("all clients to be accepted", [&] { return server.accepted() == 400; });
  stage.observe("longest queue", longest, 129);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 50);
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent));
  stage.observe("connected", clients.connected(), 400);
  stage.until_found();
  stage.until_closed();
}

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

void stuck(Stage& stage) {
  Server server({.port = kPort, .backlog = 128, .stuck = true});
  Clients clients({.port = kPort, .count = 300});
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

}  // namespace

std::vector<Scenario> accept_queue_scenarios() {
  return {
      {.id = "1",
       .name = "accept-queue-burst",
       .play = burst,
       .expected = {{.id = "accept-queue-backlog-small",
                     .port = kPort,
                     .process = "gunicorn",
                     .limit = "backlog",
                     .limit_value = 128}},
       .look_alikes = {"accept-queue-app-stalled", "syn-flood-suspected"}},
      {.id = "1b", .name = "accept-queue-paced", .play = paced, .look_alikes = {"*"}},
      {.id = "2",
       .name = "accept-queue-stuck",
       .play = stuck,
       .expected = {{.id = "accept-queue-app-stalled",
                     .port = kPort,
                     .process = "gunicorn",
                     .severity = "critical",
                     .within = 5s}},
       .look_alikes = {"accept-queue-backlog-small"}},
  };
}

}  // namespace tcpdiag::incidents
