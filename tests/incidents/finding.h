// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "tests/incidents/scenario.h"

namespace tcpdiag::incidents {

/// What is compared of a finding of GET /api/v1/findings. Empty or 0: the daemon does not say.
struct SeenFinding {
  std::string id, severity, summary;
  std::string kind, address, process;  ///< of the subject
  std::uint16_t port = 0;
  std::string limit;  ///< bites.limit
  double limit_value = 0;

  /// Whether both are the same condition of the same subject, whatever the numbers.
  [[nodiscard]] bool is_same(const SeenFinding& other) const;
  /// "accept-queue-full (critical) port 5000 gunicorn, bites listen backlog 128"
  [[nodiscard]] std::string describe() const;
};

/// All findings of an answer. Errors: it is not what is documented.
Result<std::vector<SeenFinding>> parse_findings(std::string_view json);

/// Whether the finding is what a scenario waits for.
bool matches(const Expected& expected, const SeenFinding& finding);

/// "accept-queue-backlog-small" is one of "accept-queue-*".
bool is_one_of(std::string_view id, std::string_view pattern);

}  // namespace tcpdiag::incidents
