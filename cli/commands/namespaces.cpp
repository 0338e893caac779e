// SPDX-License-Identifier: Apache-2.0
#include "cli/namespaces.h"

#include "cli/command.h"
#include "cli/output.h"
#include "cli/report_part.h"
#include "cli/sample.h"
#include "cli/terminal.h"

namespace tcpdiag {
namespace {

int run(const NamespacesOptions& options) {
  const auto report =
      sample({.collectors = {"listeners", "connections", "namespaces"}, .namespaces = {}}, Clocks::system());
  return answer(report, {"namespaces"},
                options.json ? part_of_report(report, {}, {"netns_list"})
                             : namespaces_text(report, standard_output_style()));
}

Result<Action> parse(const GivenFlags& given) {
  return Run<NamespacesOptions>{run, {.json = given.contains("--json")}};
}

}  // namespace

CommandSpec namespaces_command() {
  return {
      "namespaces",
      " [--json]",
      {{"--json"}},
      0,
      parse,
      R"(      Show the network namespaces of this machine: whose they are, the oldest process in each, how
      many processes live there, and how many listeners and connections it has. "?": it could not
      be entered, which needs root or CAP_SYS_ADMIN.
)"};
}

}  // namespace tcpdiag
