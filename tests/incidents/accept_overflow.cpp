// SPDX-License-Identifier: Apache-2.0
// Handshakes that find the accept queue full when they are done: with a reset at once, or later.
#include <optional>

#include "tests/incidents/clients.h"
#include "tests/incidents/held_link.h"
#include "tests/incidents/server.h"
#include "tests/incidents/stage.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

// A queue of 21 that 18 clients fill but for three places, then twelve at once. The server's answers are held
// back until all twelve SYNs are there: they find the places free, and nine handshakes end when they are not.
struct Overflow {
  Server server{{.port = kPort, .backlog = 20, .stuck = true}};
  Clients first{{.netns = "peer", .address = "10.0.0.1", .port = kPort, .count = 18, .speak = true}};
  std::optional<Clients> second;

  explicit Overflow(Stage& stage) {
    auto& kernel = stage.kernel();
    stage.await("18 connections in the queue", [&] { return kernel.queue(kPort) == 18; });
    HeldLink link;
    second.emplace(
        ClientPlan{.netns = "peer", .address = "10.0.0.1", .port = kPort, .count = 12, .speak = true});
    stage.await("twelve more on the way",
                [&] { return kernel.half_open(kPort) + kernel.queue(kPort) == 30; });
    link.let_go();
  }

  [[nodiscard]] std::uint32_t connected() const { return first.connected() + second->connected(); }
  [[nodiscard]] std::uint32_t reset() const { return first.reset() + second->reset() + second->failed(); }
};

void reset_at_once(Stage& stage) {
  Overflow overflow(stage);
  auto& kernel = stage.kernel();
  stage.evidence("a reset for want of room",
                 [&] { return kernel.increase(&TcpCounters::embryonic_rsts) > 0; });
  stage.await("nine clients to be reset", [&] { return overflow.reset() >= 9; });
  stage.observe("embryonic resets", kernel.increase(&TcpCounters::embryonic_rsts), 9, 9);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 9);
  stage.observe("clients reset", overflow.reset(), 9, 9);
  stage.until_found();
  overflow.server.get_unstuck();
  stage.until_closed();
}

void reset_late(Stage& stage) {
  Overflow overflow(stage);
  auto& kernel = stage.kernel();
  stage.evidence("all to believe that they are connected, nine of them wrongly",
                 [&] { return overflow.connected() == 30 && kernel.half_open(kPort) == 9; });
  stage.observe("half-open", kernel.half_open(kPort), 9, 9);
  stage.await("nine clients to be reset", [&] { return overflow.reset() == 9; });
  stage.observe("resets sent", kernel.increase(&TcpCounters::out_rsts), 9);
  stage.observe("embryonic resets", kernel.increase(&TcpCounters::embryonic_rsts), 0, 0);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 9);
  stage.until_found();
  overflow.server.get_unstuck();
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> accept_overflow_scenarios() {
  const std::vector<Allowed> allowed{
      {.id = "accept-queue-app-stalled", .why = "the queue is full because the server never accepts"},
      {.id = "accept-queue-waiting", .why = "and before it is full, the first clients wait"},
      {.id = "sysctl-*", .why = "tcp_abort_on_overflow=1 is worth a word by itself"}};
  return {{.id = "5",
           .name = "accept-overflow-abort",
           .play = reset_at_once,
           .expected = {{.id = "accept-overflow-rst",
                         .port = kPort,
                         .process = "gunicorn",
                         .severity = "critical",
                         .within = 5s}},
           .look_alikes = {"app-reset", "accept-queue-backlog-small"},
           .allowed = allowed,
           .peer = true,
           .before_daemon = [](Stage& stage) { stage.sysctl("net.ipv4.tcp_abort_on_overflow", "1"); }},
          {.id = "6",
           .name = "accept-overflow-no-abort",
           .play = reset_late,
           .expected = {{.id = "accept-overflow-late-reset", .port = kPort, .process = "gunicorn"}},
           .look_alikes = {"accept-overflow-rst", "accept-queue-backlog-small", "app-reset"},
           .allowed = allowed,
           .peer = true,
           .before_daemon = [](Stage& stage) { stage.sysctl("net.ipv4.tcp_synack_retries", "1"); }}};
}

}  // namespace tcpdiag::incidents
