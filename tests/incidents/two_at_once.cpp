// SPDX-License-Identifier: Apache-2.0
// Two incidents at the same time, each of which must be named on its own port.
#include "tests/incidents/clients.h"
#include "tests/incidents/flood.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"
#include "tests/links.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kStuckPort = 5000, kFloodedPort = 6000;

void stuck_and_flooded(Stage& stage) {
  add_link_to_nowhere();
  Server stuck({.port = kStuckPort, .backlog = 128, .stuck = true});
  const Server flooded({.comm = "nginx", .port = kFloodedPort, .backlog = 64});
  const Clients clients({.port = kStuckPort, .count = 300});
  Flood syns(kFloodedPort, false);
  syns.send(1000);
  auto& kernel = stage.kernel();
  stage.evidence("a full queue and cookies", [&] {
    return kernel.queue_is_full(kStuckPort) && kernel.increase(&TcpCounters::listen_overflows) > 0 &&
           kernel.increase(&TcpCounters::syncookies_sent) > 0;
  });
  syns.go_on(200);
  stage.until_found();
  stage.observe("queue", kernel.queue(kStuckPort), 129, 129);
  stage.observe("the other's queue", kernel.queue(kFloodedPort), 0, 0);
  stage.observe("half-open", kernel.half_open(kFloodedPort), 65, 65);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 171);
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent), 935);
  stuck.get_unstuck();
  syns.stop();
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> two_at_once_scenarios() {
  return {{.id = "2+7",
           .name = "stuck-and-flooded",
           .play = stuck_and_flooded,
           .expected = {{.id = "accept-queue-app-stalled",
                         .port = kStuckPort,
                         .process = "gunicorn",
                         .severity = "critical",
                         .within = 5s},
                        {.id = "syn-flood-suspected",
                         .port = kFloodedPort,
                         .process = "nginx",
                         .severity = "critical",
                         .within = 5s}},
           .look_alikes = {"accept-queue-backlog-small", "syn-queue-overflow"}}};
}

}  // namespace tcpdiag::incidents
