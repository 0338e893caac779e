// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/report.h"
#include "diagnosis/history.h"
#include "diagnosis/incidents.h"
#include "diagnosis/rest.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// The memory of the diagnosis: the recent snapshots and what became of the findings.
class IncidentBook {
 public:
  explicit IncidentBook(std::span<const Rule> rules, Thresholds thresholds = {}, Hold hold = {});

  /// Takes the snapshot into the history and judges it.
  void observe(const Snapshot& snapshot, Moment now);

  /// Writes down what is known: Report::rules and Report::incidents.
  void write_to(Report& report) const;
  [[nodiscard]] const History& history() const { return history_; }
  /// Whether a rule would need to look for longer (Errc::too_early).
  [[nodiscard]] bool is_undecided() const;
  [[nodiscard]] std::span<const Incident> incidents() const { return incidents_; }

 private:
  std::span<const Rule> rules_;
  Thresholds thresholds_;
  Hold hold_;
  History history_;
  Rest rest_;
  std::vector<Incident> incidents_;
  std::vector<Unknown> unknown_;                              // of the latest diagnosis
  std::uint64_t findings_cut_ = 0;                            // the same
  std::optional<TimePoint> since_;                            // the first diagnosis
  std::map<std::string, std::uint64_t, std::less<>> opened_;  // by rule
};

}  // namespace tcpdiag
