// SPDX-License-Identifier: Apache-2.0
#include "cli/check.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "cli/check_text.h"
#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "collectors/catalog.h"
#include "core/number_text.h"
#include "daemon/nearest_name.h"
#include "diagnosis/catalog.h"
#include "exporters/findings_json.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kIgnoreUnknown = "--ignore-unknown";
constexpr int kCannotTell = static_cast<int>(CheckStatus::cannot_tell);

/// What is found, as the API says it.
Result<std::string> findings_for(const CheckOptions& options) {
  if (!options.daemon.url.empty()) return ask_daemon(options.daemon, "api/v1/findings");
  const auto netns = choose_netns(options.namespaces);
  if (!netns) return tl::unexpected<Error>(netns.error());
  if (::isatty(STDERR_FILENO) == 1)
    std::cerr << "tcpdiag: looking for "
              << duration_text(
                     std::chrono::ceil<std::chrono::seconds>(options.duration.value_or(kUsualCheck)))
              << "; Ctrl-C ends it sooner\n";
  const auto usual = options.duration.value_or(kUsualCheck);
  const LookTime time{.usual = usual, .longest = options.duration.value_or(kLongestCheck)};
  return findings_json_text(look_at_this_host(*netns, time, Clocks::system()));
}

int run(const CheckOptions& options) {
  const auto json = findings_for(options);
  if (!json) {
    fail(json.error());
    return kCannotTell;
  }
  const auto answer = parse_findings(*json);
  if (!answer) {
    fail({answer.error().code,
          options.daemon.url + ": answers, but not as tcpdiagd does: " + answer.error().detail});
    return kCannotTell;
  }
  const auto by = options.daemon.url.empty() ? LookedBy::this_program : LookedBy::daemon;
  const auto style = standard_output_style();
  const auto text = options.json    ? *json
                    : options.brief ? to_brief_text(*answer, by, style)
                                    : to_text(*answer, by, style);
  return show(text) == 0 ? static_cast<int>(status_of(*answer, options.policy)) : kCannotTell;
}

/// Of each rule its id, and every collector: what --ignore-unknown may name.
std::vector<std::string> what_may_be_unknown() {
  std::vector<std::string> names;
  for (const auto& rule : rule_catalog()) names.emplace_back(rule.info.id);
  for (const auto& collector : collector_catalog()) names.emplace_back(collector.name);
  return names;
}

Result<CheckPolicy> parse_policy(const GivenFlags& given) {
  CheckPolicy policy{.critical_only = given.contains("--critical-only")};
  const auto flag = given.find(kIgnoreUnknown);
  if (flag == given.end()) return policy;
  const auto known = what_may_be_unknown();
  for (const auto& name : flag->second)
    if (std::ranges::find(known, name) == known.end())
      return refused(std::string(kIgnoreUnknown) + " is " + quote(name) +
                     "; allowed: a finding (tcpdiag explain lists them) or a collector" +
                     did_you_mean(name, known));
  policy.ignored_unknown = flag->second;
  return policy;
}

Result<Action> parse(const GivenFlags& given) {
  const auto policy = parse_policy(given);
  if (!policy) return tl::unexpected<Error>(policy.error());
  CheckOptions options{
      .policy = *policy, .json = given.contains("--json"), .brief = given.contains("--brief")};
  if (options.json && options.brief) return refused("--brief has no meaning with --json");
  auto daemon = parse_daemon(given);
  if (!daemon) return tl::unexpected<Error>(daemon.error());
  options.daemon = std::move(*daemon);
  if (!options.daemon.url.empty()) return Run<CheckOptions>{run, options};
  return run_where_given(given, run, std::move(options));
}

}  // namespace

CommandSpec check_command() {
  return {"check",
          " [--duration=TIME] [--url=URL [--http.config.file=FILE]] [--netns=NETNS]... [--brief] "
          "[--critical-only] [--ignore-unknown=NAME]... [--json]",
          {{"--duration", true},
           {"--url", true},
           {std::string(kHttpConfigFile), true},
           {"--brief"},
           {"--critical-only"},
           {std::string(kIgnoreUnknown), true, true},
           netns_flag(),
           {"--json"}},
          0,
          parse,
          R"(      Check this host: which TCP limits bite, how that is known, and what to do about it.
      Exit status: 0 no problems found, 1 a warning, 2 something critical; 3 wrong usage, it cannot
      look, or nothing else was found and something critical cannot be ruled out, also because
      network namespaces could not be looked into. Findings of severity info do not count.
  --duration=TIME
      How long to look, in seconds, or with a unit such as 500ms, 10s or 2m. Default: 12, and up
      to 30 when it sees the beginning of something. If that is too short to tell a stuck queue from
      a passing one, it says so and exits with 3.
  --brief
      One line for each finding: severity, process, port, cause and first action.
  --critical-only
      Warnings do not count for the exit status.
  --ignore-unknown=NAME
      What is unknown about this finding, or because of this collector, does not count for
      the exit status: conntrack-full-elsewhere or kernel_log, for example; namespaces: those that
      could not be looked into. May be given several times.
  --url=URL
      Ask the daemon there instead, for example http://localhost:10180 or https://db1:10180.
  --http.config.file=FILE
      With --url: a name and a password, a client certificate, a CA that the system does not know,
      or a proxy, in the format that promtool and amtool read. See web-security.md in
      /usr/share/doc/tcpdiagd.
)",
          kCannotTell,
          kCannotTell};
}

}  // namespace tcpdiag
