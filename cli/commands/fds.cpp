// SPDX-License-Identifier: Apache-2.0
#include "cli/fds.h"

#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"
#include "cli/report_part.h"
#include "cli/sample.h"
#include "cli/terminal.h"

namespace tcpdiag {
namespace {

int run_fds_of(std::int32_t pid, bool json) {
  const auto source = live_source();
  auto fds = read_process_fds(*source, pid);
  if (!fds) return fail(fds.error());
  const auto netns = "/proc/" + std::to_string(pid) + "/ns/net";
  const auto its = source->link(netns), own = source->link("/proc/self/ns/net");
  if (its && own && *its != *own)
    add_tcp_states(*fds, *live_source(netns));
  else
    add_tcp_states(*fds, *source);
  const auto shown = show(json ? to_json_text(*fds) : to_text(*fds, standard_output_style()));
  if (!fds->listed) return fail(fds->listed.error());
  return fds->tcp_known ? shown : fail(fds->tcp_known.error());
}

int run(const FdsOptions& options) {
  if (options.pid) return run_fds_of(*options.pid, options.json);
  const auto choice = choose_netns(options.namespaces);
  if (!choice) return mistake(choice.error());
  // In all of them: a process holds listeners wherever it has opened them.
  auto report = sample({.collectors = {"listeners", "processes"}}, Clocks::system());
  const auto source = live_source();
  const auto netns = netns_of_processes(report, *source);
  narrow_processes(report, *choice, netns);
  return answer(report, {"processes"},
                options.json ? part_of_report(report, {}, {"processes"})
                             : fds_text(report, netns, standard_output_style()));
}

Result<Action> parse(const GivenFlags& given) {
  FdsOptions options{.json = given.contains("--json")};
  if (const auto operands = given.find(kOperands); operands != given.end()) {
    const auto pid = parse_number<std::int32_t>("PID", operands->second.front());
    if (!pid) return tl::unexpected<Error>(pid.error());
    options.pid = *pid;
    if (given.contains(kNetns)) return refused(std::string(kNetns) + " has no meaning with a PID");
  }
  return run_where_given(given, run, std::move(options));
}

}  // namespace

CommandSpec fds_command() {
  return {
      "fds",
      " [PID] [--netns=NETNS]... [--json]",
      {netns_flag(), {"--json"}},
      1,
      parse,
      R"(      Show the processes closest to their limit of open files; with PID, what that process has open,
      and which states its TCP sockets are in.
)"};
}

}  // namespace tcpdiag
