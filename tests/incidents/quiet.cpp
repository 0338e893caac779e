// SPDX-License-Identifier: Apache-2.0
// What looks like trouble and is none: many connections, a port scan, a spike.
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/incidents/acceptor.h"
#include "tests/incidents/clients.h"
#include "tests/incidents/idle.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

void nine_thousand_idle(Stage& stage) {
  const IdleConnections idle(9000);
  auto& kernel = stage.kernel();
  stage.evidence("all connections", [&] { return idle.complete(); });
  stage.until_found();
  stage.observe("ESTABLISHED", kernel.server(kPort).count(TcpState::established), 9000, 9000);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
}

struct ScanTally {
  std::atomic<std::uint32_t> open = 0, refused = 0;
  std::atomic<bool> done = false;
};

// Every port by connect(); the one that is open also by SYNs that the scanner's own kernel resets.
void scan(ScanTally& tally) {
  for (std::uint16_t port = 1; port <= 6000; ++port) {
    ++(try_to_connect("10.0.0.1", port).error == 0 ? tally.open : tally.refused);
    if (port % 10 == 0) std::this_thread::sleep_for(1ms);
  }
  for (std::uint16_t each = 0; each < 100; ++each) {
    send_syn("10.0.0.2", static_cast<std::uint16_t>(1024 + each), "10.0.0.1", kPort);
    std::this_thread::sleep_for(1ms);
  }
  tally.done = true;
  for (;;) ::pause();
}

void port_scan(Stage& stage) {
  const Server server({.port = kPort, .backlog = 128});
  const Actor<ScanTally> scanner("nmap", "peer", scan);
  auto& kernel = stage.kernel();
  stage.evidence("the end of the scan", [&] { return scanner->done.load(); });
  stage.until_found();
  stage.observe("open", scanner->open, 1, 1);
  stage.observe("refused", scanner->refused, 5999, 5999);
  stage.observe("resets sent", kernel.increase(&TcpCounters::out_rsts), 5999);
  stage.observe("half-open ones reset", kernel.increase(&TcpCounters::embryonic_rsts), 50);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
}

void spike(Stage& stage) {
  const Server server({.port = kPort, .backlog = 128, .per_accept = 5ms});
  const Clients clients({.port = kPort, .count = 110});
  auto& kernel = stage.kernel();
  std::uint32_t longest = 0;
  stage.evidence("all clients to be accepted", [&] {
    longest = std::max(longest, kernel.queue(kPort));
    return server.accepted() == 110;
  });
  stage.until_found();
  stage.observe("longest queue", longest, 60, 128);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  stage.observe("connected", clients.connected(), 110, 110);
}

}  // namespace

std::vector<Scenario> quiet_scenarios() {
  return {{.id = "23", .name = "idle-connections", .play = nine_thousand_idle},
          {.id = "23b",
           .name = "port-scan",
           .play = port_scan,
           .look_alikes = {"syn-*"},
           .allowed = {{"connect-refused", "the scanner's attempts are refused, which its own host sees"}},
           .peer = true},
          {.id = "23c", .name = "spike-that-fits", .play = spike, .look_alikes = {"accept-queue-*"}}};
}

}  // namespace tcpdiag::incidents
