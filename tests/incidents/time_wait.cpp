// SPDX-License-Identifier: Apache-2.0
// TIME_WAIT where it does no harm, and where there may be no more of it.
#include <thread>

#include "tests/incidents/acceptor.h"
#include "tests/incidents/stage.h"
#include "tests/incidents/visits.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;
constexpr std::uint32_t kVisits = 5000, kPorts = 500;

// Addresses of the server: the client has all its ports for each.
std::vector<VisitPlan::Target> servers() {
  std::vector<VisitPlan::Target> targets;
  for (unsigned each = 11; each <= 18; ++each) targets.push_back({"10.0.0." + std::to_string(each), kPort});
  return targets;
}

// There are few ephemeral ports, but the server closes first: TIME_WAIT is on its side, and the ports are
// free.
void server_closes_first(Stage& stage) {
  const Acceptor server({.port = kPort, .treat = answer_and_close});
  const Visits client({.netns = "peer",
                       .to = servers(),
                       .count = kVisits,
                       .apart = 1ms,
                       .speak = true,
                       .server_ends_first = true});
  auto& kernel = stage.kernel();
  const auto time_wait = [&] { return kernel.server(kPort).count(TcpState::time_wait); };
  stage.evidence("more TIME_WAIT than half of the ports", [&] { return time_wait() > kPorts / 2; });
  stage.await("all visits", [&] { return client.made() == kVisits; });
  stage.observe("TIME_WAIT", time_wait(), 1500);
  stage.until_found();
  stage.observe("errno 99", client.no_port(), 0, 0);
  stage.observe("visits", client.made(), kVisits);
  stage.await(
      "the end of TIME_WAIT",
      [&] {
        std::this_thread::sleep_for(500ms);
        return time_wait() == 0;
      },
      65s);
  stage.until_closed();
}

void few_ports(Stage& stage) {
  stage.sysctl("net.ipv4.ip_local_port_range", "20000 20499");
  stage.sysctl("net.ipv4.ip_local_port_range", "20000 20499", Side::peer);
  run("for each in 11 12 13 14 15 16 17 18; do ip address add 10.0.0.$each/24 dev to-peer; done");
}

// More connections are closed than may be in TIME_WAIT.
void few_buckets(Stage& stage) {
  const Acceptor server({.port = kPort, .treat = answer_and_close});
  const Visits client({.count = 1000, .apart = 2ms});
  auto& kernel = stage.kernel();
  stage.evidence("a socket closed without TIME_WAIT",
                 [&] { return kernel.increase(&TcpCounters::time_wait_overflow) > 0; });
  stage.await("all visits", [&] { return client.made() == 1000; });
  stage.observe("TIME_WAIT overflow", kernel.increase(&TcpCounters::time_wait_overflow), 880, 1000);
  // The stage's own questions to the daemon have their share of the 100.
  stage.observe("TIME_WAIT", kernel.client(kPort).count(TcpState::time_wait), 50, 100);
  stage.observe("errno 99", client.no_port(), 0, 0);
  stage.until_found();
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> time_wait_scenarios() {
  return {{.id = "14",
           .name = "time-wait-at-the-server",
           .play = server_closes_first,
           .expected = {{.id = "time-wait-server-high", .port = kPort, .severity = "info"}},
           .look_alikes = {"ephemeral-*", "time-wait-bucket-overflow"},
           .allowed = {{.id = "sysctl-*", .why = "500 ports are few"}},
           .peer = true,
           .before_daemon = few_ports},
          {.id = "16",
           .name = "time-wait-buckets",
           .play = few_buckets,
           .expected = {{.id = "time-wait-bucket-overflow",
                         .limit = "tcp_max_tw_buckets",
                         .limit_value = 100,
                         .severity = "warning"}},
           .look_alikes = {"ephemeral-*", "time-wait-server-high"},
           .allowed = {{.id = "sysctl-*", .why = "100 is below the kernel's own default"}},
           .before_daemon = [](Stage& stage) { stage.sysctl("net.ipv4.tcp_max_tw_buckets", "100"); }}};
}

}  // namespace tcpdiag::incidents
