// SPDX-License-Identifier: Apache-2.0
// What became of findings between two reports, and how that is told.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/report.h"

namespace tcpdiag {

/// What can become of an incident: it appears, its severity changes, it is over.
enum class IncidentEvent { opened, changed, closed };

/// "opened", "changed", "closed".
std::string_view to_string(IncidentEvent event);

struct IncidentChange {
  IncidentEvent event = IncidentEvent::opened;
  Incident incident;  ///< as it is now
};

/// What changed from one report to the next.
struct IncidentChanges {
  std::vector<IncidentChange> changes;  ///< opened ones, worst first, then changed ones, then closed ones
  std::size_t left_out = 0;  ///< changes beyond kMost: not those of the worst, nor all of one owner's

  static constexpr std::size_t kMost = 64;
};

/// `before` is the report before `after`, nullptr: there was none. Every diagnosis must be in one of the
/// reports that are compared, each report in two comparisons: then nothing is missed or told twice.
IncidentChanges changes_between(const Report* before, const Report& after);

/// "opened: 935 SYNs were dropped …", "critical now: …", "closed after 43 s; it was: …": one line.
std::string sentence_about(const IncidentChange& change);

}  // namespace tcpdiag
