// SPDX-License-Identifier: Apache-2.0
#include "cli/explain.h"

#include <algorithm>

#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "daemon/nearest_name.h"
#include "diagnosis/catalog.h"

namespace tcpdiag {
namespace {

int run(const ExplainOptions& options) {
  const auto style = standard_output_style();
  return show(options.rule == nullptr ? findings_list(style) : explanation(*options.rule, style));
}

Result<Action> parse(const GivenFlags& given) {
  const auto operands = given.find(kOperands);
  if (operands == given.end()) return Run<ExplainOptions>{run, {}};
  const auto& id = operands->second.front();
  if (const auto* rule = find_rule(id)) return Run<ExplainOptions>{run, {rule}};
  std::vector<std::string> ids;
  for (const auto& rule : rule_catalog()) ids.emplace_back(rule.info.id);
  auto meant = std::string(nearest_name(id, ids));
  const auto begins_so = [&](const std::string& known) { return !id.empty() && known.starts_with(id); };
  const auto longer = std::ranges::find_if(ids, begins_so);
  if (meant.empty() && longer != ids.end()) meant = *longer;
  return refused("unknown finding " + quote(id) +
                 (meant.empty() ? "; tcpdiag explain lists all" : "; did you mean " + quote(meant) + "?"));
}

}  // namespace

CommandSpec explain_command() {
  return {
      "explain",
      " [FINDING]",
      {},
      1,
      parse,
      R"(      Say what a finding means: when it is true, what clients see, what to do, what does not help.
      Without FINDING, list them all.
)"};
}

}  // namespace tcpdiag
