// SPDX-License-Identifier: Apache-2.0
#include "cli/replay.h"

#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"
#include "exporters/json.h"
#include "exporters/prometheus.h"

namespace tcpdiag {
namespace {

int run(const ReplayOptions& options) {
  const auto report = replay(options.directory);
  if (!report) return fail(report.error());
  return show(options.metrics ? to_prometheus_text(*report) : to_json_text(*report));
}

Result<Action> parse(const GivenFlags& given) {
  const auto directory = parse_directory(given, "replay");
  if (!directory) return tl::unexpected<Error>(directory.error());
  const auto flag = given.find("--format");
  const auto format = flag == given.end() ? "json" : flag->second.front();
  if (format != "json" && format != "metrics")
    return refused("--format is " + quote(format) + "; allowed: json or metrics");
  return Run<ReplayOptions>{run, {*directory, format == "metrics"}};
}

}  // namespace

CommandSpec replay_command() {
  return {"replay",
          " DIR [--format=FORMAT]",
          {{"--format", true}},
          1,
          parse,
          R"(      Run the collectors on a recording and show what was known at its end.
  --format=FORMAT
      json, like /api/v1/report, or metrics, like /metrics. Default: json.
)"};
}

}  // namespace tcpdiag
