// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/catalog.h"

#include <algorithm>
#include <vector>

#include "diagnosis/rules/families.h"

namespace tcpdiag {
namespace {

// clang-format off
constexpr std::span<const Rule> (*kFamilies[])() = {
    accept_queue_rules,
    overflow_rules,
    listener_rules,
    syn_queue_rules,
    unanswered_rules,
    ephemeral_port_rules,
    close_wait_rules,
    time_wait_rules,
    reset_rules,
    descriptor_rules,
    conntrack_rules,
    host_rules,
    settings_rules,
    configuration_rules,
};
// clang-format on

}  // namespace

std::span<const Rule> rule_catalog() {
  static const std::vector<Rule> kRules = [] {
    std::vector<Rule> rules;
    for (const auto family : kFamilies) {
      const auto its = family();
      rules.insert(rules.end(), its.begin(), its.end());
    }
    return rules;
  }();
  return kRules;
}

const Rule* find_rule(std::string_view id) {
  const auto rules = rule_catalog();
  const auto found = std::ranges::find(rules, id, [](const Rule& rule) { return rule.info.id; });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace tcpdiag
