// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/catalog.h"

#include <algorithm>
#include <vector>

#include "diagnosis/rules/families.h"

namespace tcpdiag {
namespace {

using Family = std::span<const Rule> (*)();

constexpr Family kFamilies[] = {
    accept_queue_rules,    overflow_rules,       listener_rules,
    unread_rules,          syn_queue_rules,      unanswered_rules,
    connect_refused_rules, ephemeral_port_rules, close_wait_rules,
    time_wait_rules,       reset_rules,          path_rules,
    descriptor_rules,      conntrack_rules,      host_rules,
    settings_rules,        local_port_rules,     configuration_rules,
    ignored_line_rules,    next_boot_rules,
};
constexpr Family kSettingsFamilies[] = {settings_rules, local_port_rules, configuration_rules,
                                        ignored_line_rules, next_boot_rules};

std::vector<Rule> all_of(std::span<const Family> families) {
  std::vector<Rule> rules;
  for (const auto family : families) {
    const auto its = family();
    rules.insert(rules.end(), its.begin(), its.end());
  }
  return rules;
}

}  // namespace

std::span<const Rule> rule_catalog() {
  static const auto kRules = all_of(kFamilies);
  return kRules;
}

std::span<const Rule> settings_catalog() {
  static const auto kRules = all_of(kSettingsFamilies);
  return kRules;
}

const Rule* find_rule(std::string_view id) {
  const auto rules = rule_catalog();
  const auto found = std::ranges::find(rules, id, [](const Rule& rule) { return rule.info.id; });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace tcpdiag
