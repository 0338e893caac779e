// SPDX-License-Identifier: Apache-2.0
// The command line: one command, one function.
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <iostream>

#include "cli/arguments.h"
#include "cli/check.h"
#include "cli/check_text.h"
#include "cli/closed_by_peer.h"
#include "cli/connections.h"
#include "cli/explain.h"
#include "cli/fds.h"
#include "cli/listeners.h"
#include "cli/owner_names.h"
#include "cli/port_view.h"
#include "cli/replay.h"
#include "cli/report_part.h"
#include "cli/sample.h"
#include "cli/sysctl.h"
#include "cli/terminal.h"
#include "collectors/live_source.h"
#include "core/number_text.h"
#include "core/utf8.h"
#include "core/version.h"
#include "exporters/findings_json.h"
#include "exporters/json.h"
#include "exporters/prometheus.h"

namespace {

using namespace tcpdiag;

constexpr int kFailed = 1;
constexpr int kMistake = 2;
constexpr int kCannotTell = static_cast<int>(CheckStatus::cannot_tell);

/// What a failure exits with: the statuses of a check have meanings of their own.
int status_of_failure(const std::vector<std::string>& arguments, int status) {
  return !arguments.empty() && arguments.front() == "check" ? kCannotTell : status;
}

int fail(const Error& error) {
  std::cerr << "tcpdiag: " << one_line(error.detail) << "\n";
  return kFailed;
}

int show(const std::string& text) {
  std::cout << text << std::flush;
  return std::cout ? 0 : fail({Errc::failed, "standard output: cannot be written"});
}

/// Says what could not be read. Whether that leaves the question open is the command's to say.
void complain(const Report& report) {
  for (const auto& failure : failures_of(report)) std::cerr << "tcpdiag: " << one_line(failure) << "\n";
  if (const auto note = unknown_owners_note(report.snapshot); !note.empty())
    std::cerr << "tcpdiag: " << note << "\n";
}

/// Shows what was found; fails when one of the collectors that answer the question did.
int answer(const Report& report, std::initializer_list<std::string_view> decisive, const std::string& text) {
  const auto shown = show(text);
  complain(report);
  const bool open = std::ranges::any_of(report.runs, [&](const CollectorRun& run) {
    return !run.outcome && std::ranges::find(decisive, run.collector) != decisive.end();
  });
  return open ? kFailed : shown;
}

std::unique_ptr<Source> live_source(const std::string& netns = {}) {
  return make_live_source({.netns = netns, .clock = Clocks::system().monotonic});
}

/// What is found, as the API says it.
Result<std::string> findings_for(const CheckOptions& options) {
  if (!options.url.empty()) return ask_daemon(options);
  if (::isatty(STDERR_FILENO) == 1)
    std::cerr << "tcpdiag: looking for "
              << duration_text(
                     std::chrono::ceil<std::chrono::seconds>(options.duration.value_or(kUsualCheck)))
              << "; Ctrl-C ends it earlier\n";
  return findings_json_text(look_at_this_host(options, Clocks::system()));
}

int run(const CheckOptions& options) {
  const auto json = findings_for(options);
  if (!json) {
    fail(json.error());
    return kCannotTell;
  }
  const auto answer = parse_findings(*json);
  if (!answer) {
    fail(
        {answer.error().code, options.url + ": answers, but not as tcpdiagd does: " + answer.error().detail});
    return kCannotTell;
  }
  const auto by = options.url.empty() ? LookedBy::this_program : LookedBy::daemon;
  const auto style = standard_output_style();
  const auto text = options.json    ? *json
                    : options.brief ? to_brief_text(*answer, by, style)
                                    : to_text(*answer, by, style);
  return show(text) == 0 ? static_cast<int>(status_of(*answer, options.policy)) : kCannotTell;
}

int run(const ListenersOptions& options) {
  const auto report =
      sample({{"sysctl", "listeners", "connections", "processes"}, options.namespaces}, Clocks::system());
  return answer(report, {"listeners"},
                options.json ? part_of_report(report, {"listeners"}, {})
                             : listeners_text(report, standard_output_style()));
}

/// The peers of the sockets that port_text() shows, and who holds them.
ClosedByPeer closed_by_peer(const Report& report) {
  ClosedByPeer closed;
  for (const auto& netns : report.snapshot.namespaces)
    if (netns.connections.known())
      add_peers(closed, netns, *live_source(netns.name == kHostNetns ? "" : netns.name));
  add_descriptors(closed, report.snapshot, *live_source());
  return closed;
}

int run(const ConnectionsOptions& options) {
  auto report =
      sample({{"sysctl", "listeners", "connections", "processes"}, options.namespaces}, Clocks::system());
  ClosedByPeer closed;
  if (options.port) {
    report = only_port(std::move(report), *options.port);
    if (!options.json) closed = closed_by_peer(report);
  }
  const auto style = standard_output_style();
  const auto text = options.json   ? part_of_report(report, {"listeners", "connections"}, {})
                    : options.port ? port_text(report, *options.port, closed, style)
                                   : connections_text(report, style);
  return answer(report, {"connections"}, text);
}

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
  const auto report = sample({.collectors = {"listeners", "processes"}, .namespaces = {}}, Clocks::system());
  return answer(
      report, {"processes"},
      options.json ? part_of_report(report, {}, {"processes"}) : fds_text(report, standard_output_style()));
}

int run(const SysctlOptions& options) {
  const auto report = look_at_settings(options, Clocks::system());
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

int run(const ExplainOptions& options) {
  const auto style = standard_output_style();
  return show(options.rule == nullptr ? findings_list(style) : explanation(*options.rule, style));
}

int run(const RecordOptions& options) {
  const auto recorded = record(options, Clocks::system());
  if (!recorded) return fail(recorded.error());
  std::cerr << "tcpdiag: " << to_line(*recorded, options) << "\n";
  return recorded->anything ? 0 : kFailed;
}

int run(const ReplayOptions& options) {
  const auto report = replay(options.directory);
  if (!report) return fail(report.error());
  return show(options.metrics ? to_prometheus_text(*report) : to_json_text(*report));
}

int run(ShowHelp) { return show(usage()); }
int run(ShowVersion) { return show("tcpdiag " + std::string(version()) + "\n"); }

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    std::cerr << usage();
    return kMistake;
  }
  const auto command = parse_arguments(arguments);
  if (!command) {
    fail(command.error());
    return status_of_failure(arguments, kMistake);
  }
  return std::visit([](const auto& chosen) { return run(chosen); }, *command);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    return run(arguments);
  } catch (const std::exception& error) {  // libraries throw; nothing of ours does
    std::cerr << "tcpdiag: " << error.what() << "\n";
    return status_of_failure(arguments, kFailed);
  }
}
