// SPDX-License-Identifier: Apache-2.0
// What goes wrong at the client's end.
#include <sys/socket.h>

#include <array>
#include <thread>

#include "tests/incidents/acceptor.h"
#include "tests/incidents/clients.h"
#include "tests/incidents/published_port.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"
#include "tests/incidents/visits.h"
#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

// The server's host drops what comes for its port: a firewall made of a routing rule, which every kernel has.
void firewall(Stage& stage) {
  run("ip -n peer rule add pref 10 ipproto tcp dport 5000 blackhole && ip -n peer rule add pref 20 lookup "
      "local && ip -n peer rule del pref 0");
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

// The server of a container never accepts; its clients are on the host, as a published port's proxy is.
void stuck_in_a_container(Stage& stage) {
  Server server({.netns = "peer", .port = kPort, .backlog = 16, .stuck = true});
  Clients clients({.address = "10.0.0.2", .port = kPort, .count = 60});
  stage.evidence("an overflow of the full queue",
                 [&] { return stage.peer().increase(&TcpCounters::listen_overflows) > 0; });
  stage.until_found();
  stage.observe("queue", stage.peer().queue(kPort), 17, 17);
  stage.observe("SYNs sent again", stage.kernel().increase(&TcpCounters::syn_retrans), 10);
  stage.observe("accepted", server.accepted(), 0, 0);
  server.get_unstuck();
  clients.end();
  stage.until_closed();
}

// The same behind a port that is published: clients know the host's address only.
void stuck_behind_a_published_port(Stage& stage) {
  constexpr std::uint16_t kPublished = 8080;
  forward_to_peer(kPublished, kPort);
  const auto proxy = start_docker_proxy(kPublished, kPort);
  Server server({.netns = "peer", .port = kPort, .backlog = 16, .stuck = true});
  Clients clients({.address = "10.0.0.1", .port = kPublished, .count = 60});
  stage.evidence("an overflow of the full queue",
                 [&] { return stage.peer().increase(&TcpCounters::listen_overflows) > 0; });
  stage.until_found();
  std::this_thread::sleep_for(14s);  // as long as a finding about the clients would take: three dumps
  stage.observe("queue", stage.peer().queue(kPort), 17, 17);
  stage.observe("SYN_SENT to the published port", stage.kernel().client(kPublished).count(TcpState::syn_sent),
                5);
  stage.observe("SYNs sent again", stage.kernel().increase(&TcpCounters::syn_retrans), 10);
  server.get_unstuck();
  clients.end();
  stage.until_closed();
}

// The same for clients that come to the proxy itself, as those on the host do: it has accepted them and waits
// for the container before it reads.
void stuck_behind_a_proxy(Stage& stage) {
  constexpr std::uint16_t kPublished = 8080;
  const auto proxy = start_docker_proxy(kPublished, kPort);
  stage.await("the proxy", [&] { return stage.kernel().listener(kPublished).has_value(); });
  Server server({.netns = "peer", .port = kPort, .backlog = 16, .stuck = true});
  Clients clients({.port = kPublished, .count = 60, .speak = true});
  stage.evidence("an overflow of the full queue",
                 [&] { return stage.peer().increase(&TcpCounters::listen_overflows) > 0; });
  stage.until_found();
  std::this_thread::sleep_for(24s);  // as long as a finding about the proxy's clients would take
  stage.observe("queue", stage.peer().queue(kPort), 17, 17);
  stage.observe("SYN_SENT of the proxy", stage.kernel().client(kPort).count(TcpState::syn_sent), 5);
  stage.observe("accepted by the proxy", stage.kernel().server(kPublished).accepted, 60, 60);
  server.get_unstuck();
  clients.end();
  stage.until_closed();
}

// The service of a container has ended, the container has not.
void refused_by_a_container(Stage& stage) {
  Server server({.comm = "redis-server", .netns = "peer", .port = kPort});
  stage.await("the server to be seen", [&] { return stage.peer().listener(kPort).has_value(); });
  std::this_thread::sleep_for(12s);  // a daemon that has not looked at whose it is cannot name it: two rounds
  server.end();
  Visits clients({.to = {{"10.0.0.2", kPort}}, .apart = 20ms});
  auto& kernel = stage.kernel();
  stage.evidence("refused attempts", [&] { return kernel.increase(&TcpCounters::attempt_fails) >= 20; });
  stage.until_found();
  stage.observe("refused", clients.failed(), 20);
  stage.observe("resets that the container sent", stage.peer().increase(&TcpCounters::out_rsts), 20);
  clients.end();
  stage.until_closed();
}

// A second link to the peer, by which its answers come back.
void strict_filter(Stage& stage) {
  run("ip link add name to-peer2 address 02:00:00:00:00:03 type veth peer name to-home2 address "
      "02:00:00:00:00:04 netns peer && ip link set to-peer2 up && ip address add 10.0.1.1/24 dev to-peer2 && "
      "ip -n peer link set to-home2 up && ip -n peer address add 10.0.1.2/24 dev to-home2 && ip -n peer "
      "neigh add 10.0.1.1 lladdr 02:00:00:00:00:03 dev to-home2 && ip -n peer route add 10.0.0.1/32 via "
      "10.0.1.1 dev to-home2");
  stage.sysctl("net.ipv4.conf.to-peer2.rp_filter", "1");
}

// The answers are dropped on this host, by its own filter.
void filtered_answers(Stage& stage) {
  const Server server({.netns = "peer", .port = kPort});
  Clients clients({.address = "10.0.0.2", .port = kPort, .count = 20});
  auto& kernel = stage.kernel();
  stage.evidence("answers dropped here", [&] {
    return kernel.increase(&TcpCounters::ip_reverse_path_filter) > 0 &&
           kernel.increase(&TcpCounters::syn_retrans) > 0;
  });
  stage.until_found();
  stage.observe("SYN_SENT", kernel.client(kPort).count(TcpState::syn_sent), 20, 20);
  stage.observe("answers dropped", kernel.increase(&TcpCounters::ip_reverse_path_filter), 20);
  clients.end();
  stage.until_closed();
}

// The server has ended; whoever connects is refused by this host.
void service_is_gone(Stage& stage) {
  Server server({.comm = "redis-server", .port = kPort});
  stage.await("the server to be seen", [&] { return stage.kernel().listener(kPort).has_value(); });
  std::this_thread::sleep_for(12s);  // a daemon that has not looked at whose it is cannot name it: two rounds
  server.end();
  Visits clients({.apart = 20ms});
  auto& kernel = stage.kernel();
  stage.evidence("refused attempts", [&] { return kernel.increase(&TcpCounters::attempt_fails) >= 20; });
  stage.until_found();
  stage.observe("refused", clients.failed(), 20);
  stage.observe("resets sent", kernel.increase(&TcpCounters::out_rsts), 20);
  clients.end();
  stage.until_closed();
}

bool read_to_the_end(int connection) {
  std::array<char, 65536> buffer{};
  while (::recv(connection, buffer.data(), buffer.size(), 0) > 0) continue;
  return false;
}

struct Poured {
  std::atomic<std::uint64_t> blocks = 0;
};

void pour(Poured& poured) {
  const auto connection = try_to_connect("10.0.0.2", kPort).socket;
  const std::string block(16384, 'x');
  while (::send(connection.get(), block.data(), block.size(), MSG_NOSIGNAL) > 0) ++poured.blocks;
}

// A bottleneck with room for two packets: what a sender has on the way beyond that is lost.
void bottleneck(Stage& stage) {
  run("tc qdisc add dev to-peer root tbf rate 2mbit burst 3000 limit 3500");
  const Acceptor server({.netns = "peer", .port = kPort, .treat = read_to_the_end});
  Actor<Poured> client("client", "", pour);
  auto& kernel = stage.kernel();
  stage.evidence("segments sent again", [&] { return kernel.increase(&TcpCounters::retrans_segs) >= 10; });
  stage.until_found();
  stage.observe("sent again", kernel.increase(&TcpCounters::retrans_segs), 50);
  stage.observe("sent", kernel.increase(&TcpCounters::out_segs));
  stage.observe("SYNs sent again", kernel.increase(&TcpCounters::syn_retrans), 0, 2);
  client.end();
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> client_side_scenarios() {
  return {
      {.id = "12",
       .name = "syn-sent-unanswered",
       .play = firewall,
       .expected = {{.id = "syn-sent-unanswered", .port = kPort}},
       .look_alikes = {"accept-queue-*", "ephemeral-*", "peer-vanished"},
       .peer = true},
      {.id = "12b",
       .name = "reverse-path-filter",
       .play = filtered_answers,
       .expected = {{.id = "syn-sent-unanswered",
                     .port = kPort,
                     .says = "This host's own reverse path filter dropped"}},
       .look_alikes = {"accept-queue-*", "ephemeral-*"},
       .peer = true,
       .before_daemon = strict_filter},
      {.id = "12e",
       .name = "queue-of-a-container",
       .play = stuck_in_a_container,
       .expected = {{.id = "accept-queue-app-stalled",
                     .port = kPort,
                     .process = "gunicorn",
                     .severity = "critical",
                     .within = 8s},
                    {.id = "accept-queue-app-stalled", .port = kPort, .side = Side::peer}},
       .look_alikes = {"syn-sent-unanswered", "accept-queue-backlog-small", "path-lossy"},
       .peer = true,
       .is_container = true},
      {.id = "12f",
       .name = "published-port",
       .play = stuck_behind_a_published_port,
       .expected = {{.id = "accept-queue-app-stalled",
                     .port = kPort,
                     .process = "gunicorn",
                     .severity = "critical",
                     .within = 8s},
                    {.id = "accept-queue-app-stalled", .port = kPort, .side = Side::peer}},
       .look_alikes = {"syn-sent-unanswered", "accept-queue-backlog-small", "path-lossy", "peer-vanished"},
       .peer = true,
       .is_container = true,
       .needs = "iptables"},
      {.id = "12h",
       .name = "docker-proxy",
       .play = stuck_behind_a_proxy,
       .expected = {{.id = "accept-queue-app-stalled",
                     .port = kPort,
                     .process = "gunicorn",
                     .severity = "critical",
                     .within = 8s},
                    {.id = "accept-queue-app-stalled", .port = kPort, .side = Side::peer}},
       .look_alikes = {"syn-sent-unanswered", "requests-not-read", "path-lossy", "peer-vanished"},
       .peer = true,
       .is_container = true},
      {.id = "12g",
       .name = "refused-by-a-container",
       .play = refused_by_a_container,
       .expected = {{.id = "connect-refused", .says = "most likely port 5000 there"}},
       .look_alikes = {"syn-sent-unanswered", "listener-exit", "peer-vanished"},
       .peer = true,
       .is_container = true},
      {.id = "12c",
       .name = "connect-refused",
       .play = service_is_gone,
       .expected = {{.id = "connect-refused", .says = "redis-server"}},
       .look_alikes = {"syn-sent-unanswered", "ephemeral-*"}},
      {.id = "12d",
       .name = "path-lossy",
       .play = bottleneck,
       .expected = {{.id = "path-lossy", .within = 40s}},
       .look_alikes = {"syn-*", "accept-queue-*", "peer-vanished"},
       .peer = true}};
}

}  // namespace tcpdiag::incidents
