// SPDX-License-Identifier: Apache-2.0
// What is staged, and what the daemon must and must not say about it: one row for each scenario.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tcpdiag::incidents {

class Stage;

/// Where a daemon watches: the server's end, in the namespace where the scenario begins, or the other one.
enum class Side { home, peer };

/// A finding that must be there while its cause is, and must close when that is gone. What is empty or 0 is
/// not compared.
struct Expected {
  std::string id;
  std::uint16_t port = 0;  ///< of the subject
  std::string process;     ///< of the subject
  std::string limit;       ///< within bites.limit
  double limit_value = 0;  ///< bites.value
  std::string severity;
  std::string says;  ///< within its summary
  Side side = Side::home;
  /// How long after the first evidence it may appear: 5 s for what is critical, 15 s otherwise.
  std::chrono::seconds within{15};
  bool closes = true;  ///< false: its cause outlives the scenario
};

/// A finding that may be there as well, and why that is right.
struct Allowed {
  std::string id;  ///< or the beginning of ids, when it ends with '*'
  std::string why;
};

/// One incident. Every finding above info that is neither expected nor allowed fails it; so does a look-alike
/// at any severity, which is named so that the failure says which mistake was made.
struct Scenario {
  std::string id;    ///< as in the list of scenarios: "1b"
  std::string name;  ///< names its recording and its log
  std::function<void(Stage&)> play;
  std::vector<Expected> expected;        ///< empty: silence is
  std::vector<std::string> look_alikes;  ///< ids, or beginnings of ids that end with '*'
  std::vector<Allowed> allowed;
  /// A second network namespace, joined by a link: 10.0.0.1 and fd00::1 are home, 10.0.0.2 and fd00::2 the
  /// peer's.
  bool peer = false;
  /// The peer is a container of this host: the daemon looks for namespaces and finds it. Otherwise it is
  /// another machine.
  bool is_container = false;
  /// What was so before the daemon came, as settings are; may be empty.
  std::function<void(Stage&)> before_daemon;
  /// Where nothing is expected: for how long nothing may be found. As long as the slowest finding may take.
  std::chrono::seconds silence{15};
  /// A program of others that it plays with; where that is not in PATH it is skipped. Empty: none.
  std::string needs;
  /// It takes all that the machine has: played when those that measure times are over.
  bool load = false;
};

/// Every scenario, in the order of the list.
std::vector<Scenario> all_scenarios();

// One function for each family; each is in a file of its own.
std::vector<Scenario> accept_queue_scenarios();
std::vector<Scenario> accept_overflow_scenarios();
std::vector<Scenario> syn_queue_scenarios();
std::vector<Scenario> client_side_scenarios();
std::vector<Scenario> ephemeral_scenarios();
std::vector<Scenario> time_wait_scenarios();
std::vector<Scenario> closing_scenarios();
std::vector<Scenario> idle_reuse_scenarios();
std::vector<Scenario> established_scenarios();
std::vector<Scenario> descriptor_scenarios();
std::vector<Scenario> quiet_scenarios();
std::vector<Scenario> healthy_closing_scenarios();
std::vector<Scenario> real_nginx_scenarios();
std::vector<Scenario> stale_scenarios();
std::vector<Scenario> two_at_once_scenarios();
std::vector<Scenario> load_scenarios();

}  // namespace tcpdiag::incidents
