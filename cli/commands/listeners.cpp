// SPDX-License-Identifier: Apache-2.0
#include "cli/listeners.h"

#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"
#include "cli/report_part.h"
#include "cli/sample.h"
#include "cli/terminal.h"

namespace tcpdiag {
namespace {

int run(const ListenersOptions& options) {
  const auto netns = choose_netns(options.namespaces);
  if (!netns) return mistake(netns.error());
  auto report = sample({{"sysctl", "listeners", "connections", "processes"}, *netns}, Clocks::system());
  narrow(report, *netns);
  return answer(report, {"listeners"},
                options.json ? part_of_report(report, {"listeners"}, {})
                             : listeners_text(report, standard_output_style()));
}

Result<Action> parse(const GivenFlags& given) {
  return run_where_given(given, run, ListenersOptions{.json = given.contains("--json")});
}

}  // namespace

CommandSpec listeners_command() {
  return {"listeners",
          " [--netns=NETNS]... [--json]",
          {netns_flag(), {"--json"}},
          0,
          parse,
          R"(      Look for a second and show the accept queues, the fullest first.
      QUEUE: connections waiting in the fullest queue of the address, and its limit; it holds one
      more. PEAK: the most within that second. DROPS: segments dropped since the sockets were
      opened. HALF-OPEN: handshakes in progress.
)"};
}

}  // namespace tcpdiag
