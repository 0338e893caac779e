// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/result.h"
#include "exporters/netns_overview.h"

namespace tcpdiag {

/// What GET /api/v1/findings says (docs/reference/api.md), as values again.
struct FindingsAnswer {
  using WallTime = std::chrono::system_clock::time_point;

  struct Found {
    Finding finding;  ///< all but Finding::critical_after
    WallTime since;
    std::optional<WallTime> last_seen{};  ///< empty: it is seen still
  };
  struct CannotTell {
    Unknown unknown;
    Severity severity = Severity::warning;  ///< of what the rule would find
  };

  WallTime generated_at;
  std::vector<Found> findings;  ///< worst first
  std::vector<CannotTell> unknown;
  std::optional<std::chrono::seconds> watched_for;                  ///< empty: it does not say
  std::optional<std::uint64_t> namespaces, listeners, connections;  ///< watched; empty: not known
  std::vector<NetnsLeftOut> left_out{};                             ///< namespaces that are not watched
  std::uint64_t unasked_processes = 0;  ///< that did not say in which namespace they live
};

/// Whether the text is nested more deeply than any answer: a parser would take memory for each level.
bool is_deep(std::string_view json);

/// Errors: it is not JSON, or not what is documented; the detail names the key. Keys that are not known are
/// passed over.
Result<FindingsAnswer> parse_findings(std::string_view text);

}  // namespace tcpdiag
