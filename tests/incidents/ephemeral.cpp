// SPDX-License-Identifier: Apache-2.0
// A client that finds no local port for its next connection.
#include "tests/incidents/acceptor.h"
#include "tests/incidents/stage.h"
#include "tests/incidents/visits.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000, kOtherPort = 5001;
constexpr std::uint64_t kPorts = 500;
// The stage's own questions to the daemon hold some ports, and change whose turn it is when they give one
// back.
constexpr std::uint64_t kOwn = 5;
constexpr std::uint64_t kPortsLess = kPorts - kOwn;

void few_ports(Stage& stage) {
  stage.sysctl("net.ipv4.ip_local_port_range", "20000 20499");
  stage.sysctl("net.ipv4.tcp_tw_reuse", "0");
  // Else a FIN that is sent twice on a busy machine ends a TIME_WAIT: its answer is a reset (RFC 1337).
  stage.sysctl("net.ipv4.tcp_rfc1337", "1");
}

// TIME_WAIT lasts for a minute: what helps at once is more ports.
void widen(Stage& stage) { stage.sysctl("net.ipv4.ip_local_port_range", "20000 60999"); }

// A client that opens and closes faster than ports come back.
void no_port_to_connect(Stage& stage) {
  const Acceptor server({.netns = "peer", .port = kPort, .treat = answer_and_close});
  Visits client({.to = {{"10.0.0.2", kPort}}, .apart = 2ms});
  stage.evidence("no port for connect()", [&] { return client.no_port() > 0; });
  const auto time_wait = [&] { return stage.kernel().client(kPort).count(TcpState::time_wait); };
  stage.await("the server to close the last ones", [&] { return time_wait() >= kPortsLess; });
  stage.observe("TIME_WAIT", time_wait(), kPortsLess, kPorts);
  stage.observe("visits", client.made(), kPortsLess, kPorts + kOwn);
  stage.until_found();
  stage.observe("errno 99", client.no_port(), 1);
  stage.observe("the server's TIME_WAIT", stage.peer().server(kPort).count(TcpState::time_wait), 0, 0);
  client.end();
  widen(stage);
  stage.until_closed();
}

// The same for a client that binds its address first: a port serves one destination only, and bind() fails.
void no_port_to_bind(Stage& stage) {
  const Acceptor server({.netns = "peer", .port = kPort, .treat = answer_and_close});
  const Acceptor other({.netns = "peer", .port = kOtherPort, .treat = answer_and_close});
  Visits client({.to = {{"10.0.0.2", kPort}, {"10.0.0.2", kOtherPort}}, .from = "10.0.0.1", .apart = 2ms});
  stage.evidence("no port for bind()", [&] { return client.no_port_to_bind() > 0; });
  auto& kernel = stage.kernel();
  stage.observe("ports used", kernel.connections().ephemeral_ports_used, kPortsLess, kPorts);
  for (const auto& [name, port] :
       {std::pair{"TIME_WAIT to one", kPort}, {"TIME_WAIT to the other", kOtherPort}}) {
    const auto time_wait = [&] { return kernel.client(port).count(TcpState::time_wait); };
    stage.await("the server to close the last ones", [&] { return time_wait() >= kPorts / 2 - kOwn; });
    stage.observe(name, time_wait(), kPorts / 2 - kOwn, kPorts / 2 + kOwn);
  }
  stage.until_found();
  stage.observe("errno 98", client.no_port_to_bind(), 1);
  client.end();
  widen(stage);
  stage.until_closed();
}

// The peer's server never closes what the client has closed: its ports are held in FIN_WAIT2.
void peer_does_not_close(Stage& stage) {
  const Acceptor server({.netns = "peer", .port = kPort});
  Visits client({.to = {{"10.0.0.2", kPort}}, .apart = 2ms});
  stage.evidence("no port for connect()", [&] { return client.no_port() > 0; });
  const auto fin_wait2 = [&] { return stage.kernel().client(kPort).count(TcpState::fin_wait2); };
  stage.await("FIN_WAIT2", [&] { return fin_wait2() >= kPortsLess; });
  stage.observe("FIN_WAIT2", fin_wait2(), kPortsLess, kPorts);
  stage.observe("TIME_WAIT", stage.kernel().client(kPort).count(TcpState::time_wait), 0, kOwn);
  stage.until_found();
  stage.observe("errno 99", client.no_port(), 1);
  client.end();
  widen(stage);
  stage.until_closed();
}

// The same with both ends on this host: the server's leak is the one cause.
void server_here_does_not_close(Stage& stage) {
  const Acceptor server({.port = kPort, .max_fds = 4096});
  Visits client({.apart = 5ms});
  stage.evidence("no port for connect()", [&] { return client.no_port() > 0; });
  stage.until_found();
  stage.observe("FIN_WAIT2", stage.kernel().client(kPort).count(TcpState::fin_wait2), kPortsLess, kPorts);
  stage.observe("CLOSE_WAIT", stage.kernel().server(kPort).count(TcpState::close_wait), kPortsLess, kPorts);
  client.end();
  server.let_go();
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> ephemeral_scenarios() {
  const Allowed lint{.id = "sysctl-*", .why = "500 ports are few"};
  const std::vector<Allowed> allowed{
      lint, {.id = "ephemeral-ports-low", .why = "before the last ports were taken, few were left"}};
  auto to_peer = allowed;
  to_peer.push_back({.id = "close-wait-leak", .why = "its server does hold them, perhaps for long enough"});
  const Expected exhausted{.id = "ephemeral-ports-exhausted",
                           .limit = "ip_local_port_range",
                           .limit_value = kPorts,
                           .severity = "critical",
                           .within = 5s};
  auto to_one = exhausted;
  to_one.port = kPort;
  auto held_by_peer = to_one;
  held_by_peer.says = "in FIN_WAIT2 (the peer does not close)";
  return {{.id = "13",
           .name = "ephemeral-ports-time-wait",
           .play = no_port_to_connect,
           .expected = {to_one},
           .look_alikes = {"time-wait-*"},
           .allowed = allowed,
           .peer = true,
           .before_daemon = few_ports},
          {.id = "13b",
           .name = "ephemeral-ports-fin-wait2",
           .play = peer_does_not_close,
           .expected = {held_by_peer},
           .look_alikes = {"time-wait-*"},
           .allowed = to_peer,
           .peer = true,
           .before_daemon = few_ports},
          {.id = "13c",
           .name = "ephemeral-ports-own-leak",
           .play = server_here_does_not_close,
           // Nothing grows any more: it has to stand for 20 s first.
           .expected = {{.id = "close-wait-leak", .process = "gunicorn", .within = 40s}},
           .look_alikes = {"time-wait-*"},
           .allowed = {lint,
                       {.id = "ephemeral-ports-*",
                        .why = "before the leak is old enough to be told, its ports run out"}},
           .before_daemon = few_ports},
          {.id = "15",
           .name = "ephemeral-ports-bound",
           .play = no_port_to_bind,
           .expected = {exhausted},
           .look_alikes = {"time-wait-*"},
           .allowed = allowed,
           .peer = true,
           .before_daemon = few_ports}};
}

}  // namespace tcpdiag::incidents
