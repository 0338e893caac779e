// SPDX-License-Identifier: Apache-2.0
// A minute of healthy load: nothing is wrong, and nothing may be said.
#include "tests/incidents/acceptor.h"
#include "tests/incidents/idle.h"
#include "tests/incidents/stage.h"
#include "tests/incidents/visits.h"
#include "tests/incidents/web.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 5000;

void observe_health(Stage& stage) {
  auto& kernel = stage.kernel();
  stage.observe("overflows", kernel.increase(&TcpCounters::listen_overflows), 0, 0);
  stage.observe("drops", kernel.increase(&TcpCounters::listen_drops), 0, 0);
  stage.observe("cookies sent", kernel.increase(&TcpCounters::syncookies_sent), 0, 0);
}

// Both cores are busy.
void full_load(Stage& stage) {
  const BusyWeb web(kPort, 64);
  stage.evidence("pages", [&] { return web.pages() > 0; });
  stage.until_found();
  stage.observe("pages", web.pages(), 10000);
  observe_health(stage);
}

void short_connections(Stage& stage) {
  const Acceptor server({.port = kPort, .treat = answer_and_close});
  const Visits client(
      {.netns = "peer", .to = {{"10.0.0.1", kPort}}, .apart = 5ms, .speak = true, .server_ends_first = true});
  stage.evidence("visits", [&] { return client.made() > 0; });
  stage.until_found();
  stage.observe("visits", client.made(), 200);
  stage.observe("no port", client.no_port(), 0, 0);
  stage.observe("reset", client.reset(), 0, 0);
  stage.observe("failed", client.failed(), 0, 0);
  observe_health(stage);
}

void ten_thousand_idle(Stage& stage) {
  const IdleConnections idle(10000, kPort);
  stage.evidence("all connections", [&] { return idle.complete(); });
  stage.until_found();
  stage.observe("ESTABLISHED", stage.kernel().server(kPort).count(TcpState::established), 10000, 10000);
  observe_health(stage);
}

}  // namespace

std::vector<Scenario> load_scenarios() {
  const auto quiet_for_a_minute = [](const char* id, const char* name, auto play, bool peer) {
    return Scenario{.id = id, .name = name, .play = play, .peer = peer, .silence = 60s, .load = true};
  };
  return {quiet_for_a_minute("h1", "healthy-keep-alive-web", full_load, false),
          quiet_for_a_minute("h2", "healthy-short-connections", short_connections, true),
          quiet_for_a_minute("h3", "healthy-idle-connections", ten_thousand_idle, false)};
}

}  // namespace tcpdiag::incidents
