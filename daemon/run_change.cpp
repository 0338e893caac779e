// SPDX-License-Identifier: Apache-2.0
#include "daemon/run_change.h"

#include <algorithm>
#include <string>

namespace tcpdiag {
namespace {

std::string without_digits(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

bool same_failure(const Error& a, const Error& b) {
  return a.code == b.code && without_digits(a.detail) == without_digits(b.detail);
}

bool has_run(const Result<void>& outcome) { return outcome || outcome.error().code != Errc::not_read; }

LogLine line_about(const CollectorRun& run, LogLevel level, std::string_view message) {
  LogLine line{level, message, {{"collector", run.collector}}};
  if (!run.netns.empty()) line.fields.emplace_back("netns", run.netns);
  if (!run.outcome) line.fields.emplace_back("error", run.outcome.error().detail);
  return line;
}

}  // namespace

std::optional<LogLine> change_of_run(const Result<void>& before, const CollectorRun& run) {
  if (!has_run(run.outcome)) return std::nullopt;
  const bool failed_before = has_run(before) && !before;
  if (run.outcome && !failed_before) return std::nullopt;
  if (run.outcome) return line_about(run, LogLevel::info, "collector recovered");
  if (!failed_before) return line_about(run, LogLevel::warn, "collector fails");
  if (same_failure(before.error(), run.outcome.error())) return std::nullopt;
  return line_about(run, LogLevel::warn, "collector fails in another way");
}

std::vector<LogLine> changes_of_runs(std::span<const CollectorRun> before,
                                     std::span<const CollectorRun> now) {
  std::vector<LogLine> lines;
  auto expected = before.begin();  // both are in the same order but for what is new or gone
  for (const auto& run : now) {
    const auto is_it = [&](const CollectorRun& other) {
      return other.collector == run.collector && other.netns == run.netns;
    };
    const auto known = std::find_if(expected, before.end(), is_it);
    if (known != before.end()) expected = known + 1;
    const auto outcome =
        known == before.end() ? Result<void>(tl::unexpected<Error>(Error{})) : known->outcome;
    if (auto line = change_of_run(outcome, run)) lines.push_back(std::move(*line));
  }
  return lines;
}

}  // namespace tcpdiag
