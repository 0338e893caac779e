// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/report.h"
#include "daemon/log.h"

namespace tcpdiag {

/// A line for the log.
struct LogLine {
  LogLevel level = LogLevel::info;
  std::string_view message;
  std::vector<LogField> fields;
};

/// What the log says about a collector's run: a line when it begins to fail, fails in another way or has
/// recovered, otherwise nothing. `before` is its previous outcome, Errc::not_read when there is none. Two
/// failures that differ in numbers alone (a line, a pid, a value) are the same.
std::optional<LogLine> change_of_run(const Result<void>& before, const CollectorRun& run);

/// The same of all runs of a report; `before` are those of the report before it, in the same order.
std::vector<LogLine> changes_of_runs(std::span<const CollectorRun> before, std::span<const CollectorRun> now);

}  // namespace tcpdiag
