// SPDX-License-Identifier: Apache-2.0
#include "cli/check.h"

#include <algorithm>

#include "cli/pace.h"
#include "collectors/catalog.h"
#include "core/facts/netns_list.h"
#include "daemon/cycle.h"
#include "daemon/loop.h"
#include "daemon/netns_watch.h"
#include "daemon/this_machine.h"

namespace tcpdiag {
namespace {

// Of what appears so late too little would be known.
constexpr std::chrono::seconds kLastSeconds{4};
// Nothing that is found closes before the longest check is over.
constexpr Hold kKeepAll{.closes_after = std::chrono::hours(48)};

}  // namespace

CheckStatus status_of(const FindingsAnswer& answer, const CheckPolicy& policy) {
  auto worst = Severity::info;
  for (const auto& found : answer.findings) worst = std::max(worst, found.finding.severity);
  if (worst == Severity::critical) return CheckStatus::critical;
  if (worst == Severity::warning && !policy.critical_only) return CheckStatus::warning;
  const auto ignored = [&](const std::string& name) {
    return std::ranges::find(policy.ignored_unknown, name) != policy.ignored_unknown.end();
  };
  const bool blind = std::ranges::any_of(answer.unknown, [&](const FindingsAnswer::CannotTell& each) {
    return each.severity >= policy.unknown_from && !ignored(each.unknown.id) && !ignored(each.unknown.source);
  });
  const bool sees_all = ignored(std::string(collector_of(Type<NetnsList>{}))) ||
                        std::ranges::none_of(answer.left_out, [](const NetnsLeftOut& left_out) {
                          return left_out.why == NetnsState::denied || left_out.why == NetnsState::too_many;
                        });
  return blind || !sees_all ? CheckStatus::cannot_tell : CheckStatus::nothing;
}

Report look_at_this_host(const NetnsChoice& netns, const LookTime& time, const Clocks& clocks) {
  block_loop_signals();
  const auto paths = std::make_shared<NetnsPaths>();
  CycleOptions cycle_options;
  if (!netns.found) cycle_options.collectors_off.emplace(collector_of(Type<NetnsList>{}));
  Cycle cycle(collector_catalog(), with_host(netns.paths),
              open_this_machine(clocks, stop_is_pending, {}, paths), cycle_options, clocks, kKeepAll);
  NetnsWatch netns_watch(cycle, netns.paths, paths);
  netns_watch.set_filter(netns.filter);
  const auto begin = clocks.monotonic();
  const auto end = begin + time.usual;
  const auto last_added = end - std::min<TimePoint::duration>(kLastSeconds, time.usual / 2);
  // What has begun a moment ago may be something or pass: it is worth a few seconds more.
  const auto goes_on = [&](TimePoint next) {
    return next <= end || (next <= begin + time.longest && cycle.is_undecided());
  };
  auto diagnose_at = begin;
  drive(clocks, begin, goes_on, [&](TimePoint now) {
    const bool diagnoses = now >= diagnose_at;
    cycle.run_all(now, diagnoses);
    netns_watch.follow(now < last_added);
    if (!diagnoses) return;
    cycle.diagnose(clocks.monotonic());
    diagnose_at = now + kDiagnosisPeriod;
  });
  const auto now = clocks.monotonic();
  cycle.run_loop_collectors(now, true);
  cycle.diagnose(clocks.monotonic());
  auto report = cycle.report(clocks.monotonic());
  netns_watch.note_states(report);
  narrow(report, netns);
  return report;
}

}  // namespace tcpdiag
