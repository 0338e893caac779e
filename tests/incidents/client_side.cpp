// SPDX-License-Identifier: Apache-2.0
// What goes wrong at the client's end.
#include "tests/incidents/clients.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

constexpr std::uint16_t kPort = 5000;

// The server's host drops what comes for its port: a firewall made of a routing rule, which every kernel has.
void firewall(Stage& stage) {
  run("ip -n peer rule add pref 10 ipproto tcp dport 5000 blackhole && "
      "ip -n peer rule add pref 20 lookup local && ip -n peer rule del pref 0");
  const Server server({.netns = "peer", .port = kPort});
  Clients clients({.address = "10.0.0.2", .port = kPort, .count = 20});
  auto& kernel = stage.kernel();
  stage.evidence("SYNs sent again", [&] { return kernel.increase(&TcpCounters::syn_retrans) > 0; });
  stage.until_found();
  stage.observe("SYN_SENT", kernel.client(kPort).count(TcpState::syn_sent), 20, 20);
  stage.observe("SYNs sent again", kernel.increase(&TcpCounters::syn_retrans), 20);
  stage.observe("the server's drops", stage.peer().increase(&TcpCounters::listen_drops), 0, 0);
  stage.observe("accepted", server.accepted(), 0, 0);
  clients.end();
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> client_side_scenarios() {
  return {{.id = "12",
           .name = "syn-sent-unanswered",
           .play = firewall,
           .expected = {{.id = "syn-sent-unanswered", .port = kPort}},
           .look_alikes = {"accept-queue-*", "ephemeral-*"},
           .peer = true}};
}

}  // namespace tcpdiag::incidents
