// SPDX-License-Identifier: Apache-2.0
#include "cli/namespaces.h"

#include <utility>

#include "cli/check.h"
#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace tcpdiag {
namespace {

// Long enough to see what stands still, and longer while a queue does.
constexpr LookTime kLook{.usual = std::chrono::seconds(5), .longest = kUsualCheck};

Result<std::string> namespaces_for(const NamespacesOptions& options) {
  if (!options.daemon.url.empty()) return ask_daemon(options.daemon, "api/v1/namespaces");
  const LookTime time = options.duration ? LookTime{*options.duration, *options.duration} : kLook;
  return netns_json_text(look_at_this_host({}, time, Clocks::system()));
}

int run(const NamespacesOptions& options) {
  const auto json = namespaces_for(options);
  if (!json) return fail(json.error());
  const auto overview = parse_namespaces_answer(*json);
  if (options.json && (overview || options.daemon.url.empty())) {
    const auto shown = show(*json);
    return overview ? shown : fail(overview.error());
  }
  if (overview) return show(namespaces_text(*overview, standard_output_style()));
  if (options.daemon.url.empty()) return fail(overview.error());
  return fail({overview.error().code,
               options.daemon.url + ": answers, but not as tcpdiagd does: " + overview.error().detail});
}

Result<Action> parse(const GivenFlags& given) {
  NamespacesOptions options{.json = given.contains("--json")};
  auto daemon = parse_daemon(given);
  if (!daemon) return tl::unexpected<Error>(daemon.error());
  options.daemon = std::move(*daemon);
  if (const auto flag = given.find("--duration"); flag != given.end()) {
    const auto duration = parse_duration(flag->second.front());
    if (!duration) return tl::unexpected<Error>(duration.error());
    options.duration = *duration;
  }
  return Run<NamespacesOptions>{run, options};
}

}  // namespace

CommandSpec namespaces_command() {
  return {
      "namespaces",
      " [--duration=TIME] [--url=URL [--http.config.file=FILE]] [--json]",
      {{"--duration", true}, {"--url", true}, {std::string(kHttpConfigFile), true}, {"--json"}},
      0,
      parse,
      R"(      Look for five seconds, or up to twelve when it sees the beginning of something, and show the
      network namespaces of this machine: whose they are, the oldest process in each, how many
      processes, listeners and connections it has, and the worst that is found in it.
      "cannot tell": nothing was found, and something critical cannot be ruled out. "?": it could
      not be looked into; entering it needs root or CAP_SYS_ADMIN.
      --duration, --url and --http.config.file are those of check.
)"};
}

}  // namespace tcpdiag
