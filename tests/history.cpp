// SPDX-License-Identifier: Apache-2.0
#include "tests/history.h"

#include "diagnosis/catalog.h"
#include "tests/catch.h"

namespace tcpdiag {

const Rule& rule_of(std::string_view id) {
  const auto* rule = find_rule(id);
  INFO(id);
  REQUIRE(rule != nullptr);
  return *rule;
}

Verdict verdict_of(std::string_view id, const History& history) {
  const auto& rule = rule_of(id);
  return rule.evaluate(Window(history, NetnsId::host, rule.lookback), Thresholds{});
}

Finding only_finding(std::string_view id, const History& history) {
  const auto diagnosis = diagnose(history, std::span(&rule_of(id), 1), Thresholds{});
  REQUIRE(diagnosis.unknown.empty());
  REQUIRE(diagnosis.findings.size() == 1);
  return diagnosis.findings.front();
}

}  // namespace tcpdiag
