// SPDX-License-Identifier: Apache-2.0
// A process whose descriptors run out, because its requests wait for something else.
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "tests/incidents/acceptor.h"
#include "tests/incidents/clients.h"
#include "tests/incidents/stage.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000, kUpstreamPort = 6000;
constexpr unsigned kMaxFds = 100, kPool = 5;

// Five slots for an upstream that never answers, and a request from every client that waits for a slot.
struct Gateway {
  Acceptor upstream{{.comm = "upstream", .port = kUpstreamPort}};
  Acceptor gateway{
      {.comm = "gateway", .port = kPort, .max_fds = kMaxFds, .before = [](auto& kept) { fill_pool(kept); }}};

  static void fill_pool(std::vector<FileDescriptor>& kept) {
    for (unsigned each = 0; each < kPool; ++each) {
      kept.push_back(try_to_connect("127.0.0.1", kUpstreamPort).socket);
      ::send(kept.back().get(), "?", 1, MSG_NOSIGNAL);
    }
  }
  [[nodiscard]] std::uint64_t fds() const { return open_fds(gateway.pid()); }
};

ClientPlan inbound(unsigned count, std::chrono::microseconds apart) {
  return {.port = kPort, .count = count, .apart = apart};
}

void observe_all(Stage& stage, const Gateway& gateway, std::uint64_t least, std::uint64_t most) {
  auto& kernel = stage.kernel();
  stage.observe("open fds", gateway.fds(), least, most);
  stage.observe("connections to the upstream", kernel.client(kUpstreamPort).total(), kPool, kPool);
  stage.observe("queue", kernel.queue(kPort), 0, 0);
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
}

// More and more of them, but not all descriptors are gone.
void near_the_limit(Stage& stage) {
  const Gateway gateway;
  const Clients first(inbound(65, 200ms));
  stage.await("65 clients", [&] { return first.connected() == 65; });
  const Clients more(inbound(24, 1s));
  stage.evidence("80 % of the descriptors", [&] { return gateway.fds() >= kMaxFds * 8 / 10; });
  stage.until_found();
  observe_all(stage, gateway, kMaxFds * 8 / 10, kMaxFds - 1);
  limit_fds(gateway.gateway.pid(), 4096);
  stage.until_closed();
}

// As many clients as there are descriptors for; nobody waits yet.
void at_the_limit(Stage& stage) {
  const Gateway gateway;
  const auto room = static_cast<unsigned>(kMaxFds - gateway.fds());
  const Clients clients(inbound(room, 150ms));
  stage.evidence("all descriptors in use", [&] { return gateway.fds() == kMaxFds; });
  stage.until_found();
  observe_all(stage, gateway, kMaxFds, kMaxFds);
  limit_fds(gateway.gateway.pid(), 4096);
  stage.until_closed();
}

// Clients that say nothing: one that has vanished looks the same from here.
void idle_clients(Stage& stage) {
  constexpr unsigned kClients = 85;
  const Acceptor server({.comm = "redis-server", .port = kPort, .max_fds = kMaxFds});
  const Clients clients(inbound(kClients, 5ms));
  stage.evidence("clients on most descriptors", [&] { return open_fds(server.pid()) >= kClients; });
  stage.until_found();
  stage.observe("ESTABLISHED", stage.kernel().server(kPort).unwatched, kClients, kClients);
  limit_fds(server.pid(), 4096);
  stage.until_closed();
}

}  // namespace

std::vector<Scenario> descriptor_scenarios() {
  const Expected of_the_gateway{
      .process = "gateway", .limit = "RLIMIT_NOFILE", .limit_value = static_cast<double>(kMaxFds)};
  auto near = of_the_gateway, reached = of_the_gateway;
  near.id = "fd-limit-near";
  near.severity = "warning";
  reached.id = "fd-limit-reached";
  reached.severity = "critical";
  reached.within = 5s;
  near.says = reached.says = "127.0.0.1:6000";  // which does not grow with them
  return {{.id = "22",
           .name = "upstream-pool-fds-near",
           .play = near_the_limit,
           .expected = {near},
           .look_alikes = {"accept-queue-*", "fd-limit-reached", "fd-limit-accept-blocked"}},
          {.id = "22b",
           .name = "upstream-pool-fds-reached",
           .play = at_the_limit,
           .expected = {reached},
           .look_alikes = {"accept-queue-*", "fd-limit-accept-blocked"},
           .allowed = {{.id = "fd-limit-near", .why = "on the way to the limit"}}},
          {.id = "22c",
           .name = "idle-clients-fds-near",
           .play = idle_clients,
           .expected = {{.id = "fd-limit-near",
                         .process = "redis-server",
                         .severity = "warning",
                         .says = "connections to its port 5000 that have been idle for",
                         .within = 50s}},
           .look_alikes = {"accept-queue-*", "close-wait-*"}}};
}

}  // namespace tcpdiag::incidents
