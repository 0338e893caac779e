// SPDX-License-Identifier: Apache-2.0
#include "cli/sysctl.h"

#include "cli/check.h"
#include "cli/check_text.h"
#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"
#include "cli/report_part.h"
#include "cli/terminal.h"
#include "exporters/findings_json.h"

namespace tcpdiag {
namespace {

int run(const SysctlOptions& options) {
  const auto netns = choose_netns(options.namespaces);
  if (!netns) return mistake(netns.error());
  const auto report = look_at_settings(*netns, options.lint, Clocks::system());
  if (!options.lint)
    return answer(report, {"sysctl"},
                  options.json ? part_of_report(report, {"settings"}, {"config"})
                               : sysctl_text(report, standard_output_style()));
  const auto json = findings_json_text(report);
  const auto findings = parse_findings(json);
  if (!findings) return fail(findings.error());
  const auto shown = show(options.json ? json : to_text(*findings, LookedBy::lint, standard_output_style()));
  const CheckPolicy policy{.unknown_from = Severity::warning};
  return shown == 0 ? static_cast<int>(status_of(*findings, policy)) : shown;
}

Result<Action> parse(const GivenFlags& given) {
  return run_where_given(given, run,
                         SysctlOptions{.lint = given.contains("--lint"), .json = given.contains("--json")});
}

}  // namespace

CommandSpec sysctl_command() {
  return {
      "sysctl",
      " [--lint] [--netns=NETNS]... [--json]",
      {{"--lint"}, netns_flag(), {"--json"}},
      0,
      parse,
      R"(      Show the kernel settings that matter to TCP, what each does, whether it belongs to the network
      namespace (netns) or the machine, and which file sets it.
  --lint
      Say instead what is wrong with them: settings that do harm, lines of sysctl.d without effect,
      limits that cannot be granted. Exit status: 0 infos at most, 1 a warning, 3 it cannot tell.
)"};
}

}  // namespace tcpdiag
