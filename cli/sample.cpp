// SPDX-License-Identifier: Apache-2.0
#include "cli/sample.h"

#include <algorithm>

#include "cli/pace.h"
#include "collectors/catalog.h"
#include "daemon/cycle.h"
#include "daemon/loop.h"
#include "daemon/netns_watch.h"
#include "daemon/this_machine.h"

namespace tcpdiag {
namespace {

constexpr auto kPeriod = kSampleTime / 3;

// The owners of sockets in CLOSE_WAIT are looked for when two dumps have shown these sockets, and all
// processes are looked at in the first run: it comes after the second dump.
constexpr auto kHeldBack = "processes";

constexpr auto kFindsNamespaces = collector_of(Type<NetnsList>{});

/// The rows that are needed, at a pace that fits the time.
std::vector<CollectorSpec> needed(const SampleOptions& options) {
  std::vector<CollectorSpec> catalog;
  for (const auto& spec : collector_catalog()) {
    const bool finds_namespaces = options.netns.found && spec.name == kFindsNamespaces;
    if (!finds_namespaces && std::ranges::find(options.collectors, spec.name) == options.collectors.end())
      continue;
    catalog.push_back(spec);
    catalog.back().period = std::min(spec.period, kPeriod);
  }
  return catalog;
}

}  // namespace

Report sample(const SampleOptions& options, const Clocks& clocks) {
  const auto catalog = needed(options);  // outlives the cycle
  const auto paths = std::make_shared<NetnsPaths>();
  Cycle cycle(catalog, with_host(options.netns.paths), open_this_machine(clocks, stop_is_pending, {}, paths),
              {.collectors_off = {kHeldBack}, .hurry = false}, clocks);
  NetnsWatch netns_watch(cycle, options.netns.paths, paths);
  netns_watch.set_filter(options.netns.filter);
  const auto started = clocks.monotonic();
  const auto end = started + kSampleTime;
  bool all_on = false;
  const auto goes_on = [&](TimePoint next) { return next <= end || !all_on; };
  drive(clocks, started, goes_on, [&](TimePoint now) {
    if (!all_on && now - started >= kPeriod) {
      cycle.configure({.hurry = false});
      all_on = true;
    }
    cycle.run_all(now);
    netns_watch.follow(end - now > kPeriod);
  });
  auto report = cycle.report(clocks.monotonic());
  netns_watch.note_states(report);
  return report;
}

std::vector<std::string> failures_of(const Report& report) {
  std::vector<std::string> failures;
  for (const auto& run : report.runs) {
    if (!run.has_run() || run.outcome) continue;
    const auto netns = run.netns.empty() ? "" : " (" + run.netns + ")";
    failures.push_back(run.collector + netns + ": " + run.outcome.error().detail);
  }
  return failures;
}

}  // namespace tcpdiag
