// SPDX-License-Identifier: Apache-2.0
#include "cli/check.h"

#include <algorithm>

#include "cli/http_config_file.h"
#include "cli/http_failure.h"
#include "cli/http_get.h"
#include "cli/pace.h"
#include "collectors/catalog.h"
#include "core/facts/netns_list.h"
#include "core/utf8.h"
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
constexpr std::chrono::seconds kPatience{5};

/// The beginning of what a server says about itself, fit to be shown.
std::string first_line(const std::string& body) {
  constexpr std::size_t kMost = 200;
  const auto line = std::string_view(body).substr(0, body.find('\n'));
  const auto shown = utf8_prefix(line, kMost);
  return one_line(shown.substr(0, shown.find_last_not_of(". \r") + 1));
}

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
  return blind ? CheckStatus::cannot_tell : CheckStatus::nothing;
}

Report look_at_this_host(const CheckOptions& options, const Clocks& clocks) {
  block_loop_signals();
  const auto paths = std::make_shared<NetnsPaths>();
  CycleOptions cycle_options;
  if (!options.everywhere) cycle_options.collectors_off.emplace(collector_of(Type<NetnsList>{}));
  Cycle cycle(collector_catalog(), with_host(options.namespaces),
              open_this_machine(clocks, stop_is_pending, {}, paths), cycle_options, clocks, kKeepAll);
  NetnsWatch netns_watch(cycle, options.namespaces, paths);
  const auto begin = clocks.monotonic();
  const auto end = begin + options.duration.value_or(kUsualCheck);
  // What has begun a moment ago may be something or pass: it is worth a few seconds more.
  const auto goes_on = [&](TimePoint next) {
    return next <= end || (!options.duration && next <= begin + kLongestCheck && cycle.is_undecided());
  };
  auto diagnose_at = begin;
  drive(clocks, begin, goes_on, [&](TimePoint now) {
    const bool diagnoses = now >= diagnose_at;
    cycle.run_all(now, diagnoses);
    netns_watch.follow(now + kLastSeconds < end);
    if (!diagnoses) return;
    cycle.diagnose(clocks.monotonic());
    diagnose_at = now + kDiagnosisPeriod;
  });
  const auto now = clocks.monotonic();
  cycle.run_loop_collectors(now, true);
  cycle.diagnose(clocks.monotonic());
  return cycle.report(clocks.monotonic());
}

Result<std::string> ask_daemon(const CheckOptions& options) {
  constexpr int kOk = 200;
  const auto url = parse_http_url(options.url);
  if (!url) return tl::unexpected<Error>(url.error());
  Result<HttpConfig> config;
  if (!options.http_config_file.empty()) config = read_http_config(options.http_config_file);
  if (!config) return tl::unexpected<Error>(config.error());
  auto answer = http_get(*url, "api/v1/findings", *config, kPatience);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status == kOk) return std::move(answer->body);
  auto detail = authority(*url) + ": answers " + std::to_string(answer->status) + " to GET " + url->path +
                "api/v1/findings";
  if (const auto line = first_line(answer->body); !line.empty()) detail += ": " + line;
  if (const auto advice = advice_about(answer->status, *config); !advice.empty()) detail += "; " + advice;
  return unexpected(Errc::failed, detail);
}

}  // namespace tcpdiag
