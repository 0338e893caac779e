// SPDX-License-Identifier: Apache-2.0
// SYN queues that are full: because of a flood, or of a burst of clients.
#include "tests/incidents/clients.h"
#include "tests/incidents/flood.h"
#include "tests/incidents/held_link.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"
#include "tests/links.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

void flood(Stage& stage, bool v6) {
  add_link_to_nowhere();
  const Server server({.address = v6 ? "::" : "0.0.0.0", .port = kPort, .backlog = 64});
  auto& kernel = stage.kernel();
  Flood syns(kPort, v6);
  syns.send(1000);
  stage.evidence("cookies", [&] { return kernel.increase(&TcpCounters::syncookies_sent) > 0; });
  stage.observe("half-open", kernel.half_open(kPort), 65, 65);
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent), 935, 935);
  stage.observe("received", kernel.increase(&TcpCounters::syncookies_received), 0, 0);
  syns.go_on(200);
  stage.until_found();
  syns.stop();
  stage.until_closed();
}

// 80 clients at once whose SYN-ACKs are slow to get through; all of them come back. A SYN that comes again
// when the queue has room would get a place there, in whose way the client's ACK of the cookie no longer
// counts.
void burst(Stage& stage) {
  Server server({.port = kPort, .backlog = 20});
  HeldLink link;
  const Clients clients({.netns = "peer", .address = "10.0.0.1", .port = kPort, .count = 80, .speak = true});
  auto& kernel = stage.kernel();
  stage.evidence("cookies", [&] { return kernel.increase(&TcpCounters::syncookies_sent) > 0; });
  stage.await("all on the way", [&] {
    return kernel.half_open(kPort) + server.accepted() + kernel.increase(&TcpCounters::syncookies_sent) >= 80;
  });
  server.drop_syns();
  link.let_go();
  stage.await("all clients to be accepted",
              [&] { return server.accepted() == 80 && clients.connected() == 80; });
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent), 50);
  stage.observe("received", kernel.increase(&TcpCounters::syncookies_received), 50);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  stage.until_found();
  stage.until_closed();
}

// Real clients whose answers their own host drops: they ask again and again.
void lost_answers(Stage& stage) {
  run("ip -n peer rule add pref 10 ipproto tcp sport 5000 blackhole && ip -n peer rule add pref 20 lookup "
      "local && ip -n peer rule del pref 0");
  const Server server({.port = kPort, .backlog = 64});
  Clients clients({.netns = "peer", .address = "10.0.0.1", .port = kPort, .count = 400});
  auto& kernel = stage.kernel();
  stage.evidence("cookies", [&] { return kernel.increase(&TcpCounters::syncookies_sent) > 0; });
  stage.until_found();
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent), 300);
  stage.observe("received", kernel.increase(&TcpCounters::syncookies_received), 0, 0);
  stage.observe("sent again", kernel.increase(&TcpCounters::syn_retrans), 65);
  clients.end();
  stage.until_closed();
}

void flood_without_cookies(Stage& stage) {
  add_link_to_nowhere();
  const Server server({.port = kPort, .backlog = 64});
  auto& kernel = stage.kernel();
  Flood syns(kPort, false);
  syns.send(1000);
  stage.evidence("dropped requests", [&] { return kernel.increase(&TcpCounters::req_q_full_drop) > 0; });
  stage.observe("half-open", kernel.half_open(kPort), 65, 65);
  stage.observe("request queue full", kernel.increase(&TcpCounters::req_q_full_drop), 935, 935);
  stage.observe("drops", kernel.increase(&TcpCounters::listen_drops), 935, 935);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  syns.go_on(200);
  stage.until_found();
  syns.stop();
  stage.until_closed();
}

void without_cookies_and_small_backlog(Stage& stage) {
  stage.sysctl("net.ipv4.tcp_syncookies", "0");
  stage.sysctl("net.ipv4.tcp_max_syn_backlog", "256");
  stage.sysctl("net.core.somaxconn", "4096");
}

// The queue has room, but without cookies a quarter of tcp_max_syn_backlog is kept for known clients.
void three_quarters(Stage& stage) {
  add_link_to_nowhere();
  const Server server({.port = kPort, .backlog = 4096});
  auto& kernel = stage.kernel();
  Flood syns(kPort, false);
  syns.send(1000);
  stage.evidence("drops", [&] { return kernel.increase(&TcpCounters::listen_drops) > 0; });
  stage.observe("half-open", kernel.half_open(kPort), 193, 193);
  stage.observe("drops", kernel.increase(&TcpCounters::listen_drops), 807, 807);
  stage.observe("request queue full", kernel.increase(&TcpCounters::req_q_full_drop), 0, 0);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  syns.go_on(200);
  stage.until_found();
  syns.stop();
  stage.until_closed();
}

void cookies_for_all(Stage& stage) {
  const Server server({.port = kPort, .backlog = 128});
  const Clients clients({.port = kPort, .count = 100, .apart = 1ms, .speak = true});
  auto& kernel = stage.kernel();
  stage.await("all clients to be accepted", [&] { return server.accepted() == 100; });
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent), 100, 120);
  stage.observe("received", kernel.increase(&TcpCounters::syncookies_received), 100, 120);
  stage.observe("request queue full", kernel.increase(&TcpCounters::req_q_full_do_cookies), 100, 120);
  stage.until_found();
}

Scenario suspected_flood(const char* id, const char* name, bool v6) {
  return {.id = id,
          .name = name,
          .play = [v6](Stage& stage) { flood(stage, v6); },
          .expected = {{.id = "syn-flood-suspected",
                        .port = kPort,
                        .process = "gunicorn",
                        .severity = "critical",
                        .within = 5s}},
          .look_alikes = {"accept-queue-*", "syn-queue-overflow"}};
}

}  // namespace

std::vector<Scenario> syn_queue_scenarios() {
  const std::vector<Allowed> lint{{.id = "sysctl-*", .why = "tcp_syncookies=0 is worth a word by itself"}};
  const auto critical = [](const char* id) {
    return std::vector<Expected>{
        {.id = id, .port = kPort, .process = "gunicorn", .severity = "critical", .within = 5s}};
  };
  return {
      suspected_flood("7", "syn-flood", false),
      suspected_flood("7v6", "syn-flood-ipv6", true),
      {.id = "8",
       .name = "syn-queue-burst",
       .play = burst,
       .expected = {{.id = "syn-queue-overflow",
                     .port = kPort,
                     .process = "gunicorn",
                     .limit = "backlog",
                     .limit_value = 20}},
       .look_alikes = {"syn-flood-suspected", "accept-queue-*"},
       .peer = true},
      {.id = "8b",
       .name = "syn-ack-lost",
       .play = lost_answers,
       .expected = {{.id = "syn-queue-full",
                     .port = kPort,
                     .process = "gunicorn",
                     .says =
                         "real clients whose answers are lost on the way back, or a flood from 10.0.0.2"}},
       .look_alikes = {"syn-flood-suspected", "syn-queue-overflow", "accept-queue-*"},
       .peer = true},
      {.id = "9",
       .name = "syn-queue-drop",
       .play = flood_without_cookies,
       .expected = critical("syn-queue-drop"),
       .look_alikes = {"accept-queue-*", "syn-backlog-sysctl-limit"},
       .allowed = lint,
       .before_daemon = [](Stage& stage) { stage.sysctl("net.ipv4.tcp_syncookies", "0"); }},
      {.id = "10",
       .name = "syn-backlog-three-quarters",
       .play = three_quarters,
       .expected = critical("syn-backlog-sysctl-limit"),
       .look_alikes = {"accept-queue-*", "syn-queue-drop"},
       .allowed = lint,
       .before_daemon = without_cookies_and_small_backlog},
      {.id = "11",
       .name = "syncookies-always",
       .play = cookies_for_all,
       .look_alikes = {"syn-*", "accept-queue-*"},
       .allowed = {{.id = "sysctl-*", .why = "tcp_syncookies=2 is meant for tests"}},
       .before_daemon = [](Stage& stage) { stage.sysctl("net.ipv4.tcp_syncookies", "2"); }}};
}

}  // namespace tcpdiag::incidents
