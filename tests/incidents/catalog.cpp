// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/scenario.h"

namespace tcpdiag::incidents {
namespace {

// The CPUs are the whole machine's: what they drop is seen from every stage that is played at the time.
const Allowed kOfTheMachine{.id = "softnet-drops", .why = "it may be another stage's packets"};

}  // namespace

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  for (const auto family :
       {accept_queue_scenarios, accept_overflow_scenarios, syn_queue_scenarios, client_side_scenarios,
        ephemeral_scenarios, time_wait_scenarios, closing_scenarios, idle_reuse_scenarios,
        established_scenarios, descriptor_scenarios, quiet_scenarios, healthy_closing_scenarios,
        real_nginx_scenarios, stale_scenarios, two_at_once_scenarios, load_scenarios}) {
    auto scenarios = family();
    all.insert(all.end(), std::make_move_iterator(scenarios.begin()),
               std::make_move_iterator(scenarios.end()));
  }
  for (auto& scenario : all)
    if (!scenario.load) scenario.allowed.push_back(kOfTheMachine);
  return all;
}

}  // namespace tcpdiag::incidents
