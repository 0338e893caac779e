// SPDX-License-Identifier: Apache-2.0
#include "cli/explain.h"

#include <algorithm>
#include <sstream>

#include "diagnosis/catalog.h"
#include "diagnosis/words.h"
#include "tests/catch.h"
#include "tests/golden.h"

using namespace tcpdiag;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool is_command_of(const RuleInfo& info, const std::string& line) {
  for (const auto& advice : info.advice)
    if (!advice.command.empty() && line.ends_with(as_pattern(advice.command))) return true;
  return false;
}

}  // namespace

TEST_CASE("an explanation reads as the one that was looked at") {
  const auto* rule = find_rule("conntrack-full");
  REQUIRE(rule != nullptr);
  check_committed("tests/unit/cli/explain.golden.txt", explanation(*rule, {}));
}

TEST_CASE("every line of every explanation fits apart from commands") {
  for (const auto& rule : rule_catalog()) {
    for (const auto& line : lines_of(explanation(rule, {.columns = 60}))) {
      INFO(rule.info.id << ": " << line);
      CHECK((columns_of(line) <= 60 || is_command_of(rule.info, line) || line.starts_with(rule.info.id)));
    }
  }
}

TEST_CASE("the list has every finding once, below its family, within 100 columns") {
  const auto lines = lines_of(findings_list({}));
  for (const auto& rule : rule_catalog()) {
    INFO(rule.info.id);
    const auto begins = [&](const std::string& line) {
      return line.starts_with(std::string(rule.info.id) + " ");
    };
    CHECK(std::ranges::count_if(lines, begins) == 1);
    CHECK(std::ranges::count(lines, rule.info.family) == 1);
  }
  for (const auto& line : lines) CHECK(columns_of(line) <= 100);
}
