// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"

namespace tcpdiag::incidents {

/// One condition that the daemon named during a scenario, as a cell of the matrix.
struct Named {
  std::string finding;  ///< its id
  std::string text;     ///< with severity, subject and limit
  enum class Kind { expected, allowed, info, wrong } kind = Kind::info;
  /// Seconds from the first evidence to when it was as expected, and from the end of the cause until it was
  /// gone. Empty: it was not, or not asked for.
  std::optional<double> found_after, closed_after;
};

/// How a scenario went. It crosses from the scenario's process to the runner's as JSON.
struct Outcome {
  std::string id, name;
  enum class Verdict { passed, failed, not_staged } verdict = Verdict::not_staged;
  std::vector<std::string> failures;  ///< empty when it passed
  std::vector<std::pair<std::string, std::string>> observed;
  std::vector<Named> named;
  std::vector<std::string> missing;  ///< ids of expected findings that never were there
  std::string evidence;              ///< of a failure: the daemons' findings and logs
  double seconds = 0;
  std::vector<std::string> earlier;  ///< why it was played again, for each time before
};

std::string to_json(const Outcome& outcome);
Result<Outcome> parse_outcome(const std::string& json);

}  // namespace tcpdiag::incidents
