// SPDX-License-Identifier: Apache-2.0
#include "daemon/incident_book.h"

#include <algorithm>
#include <utility>

#include "diagnosis/diagnose.h"

namespace tcpdiag {

IncidentBook::IncidentBook(std::span<const Rule> rules, Thresholds thresholds, Hold hold)
    : rules_(rules), thresholds_(thresholds), hold_(hold) {}

void IncidentBook::observe(const Snapshot& snapshot, Moment now) {
  history_.push(snapshot);
  const auto& newest = history_.snapshots().back();
  const auto resting = rest_.of(newest);
  auto diagnosis = diagnose(history_, rules_, thresholds_, incidents_, resting);
  rest_.judged(newest, resting, diagnosis);
  incidents_ = advance(std::move(incidents_), diagnosis, now, hold_);
  for (const auto& incident : incidents_)
    if (incident.opened.at == now.at) ++opened_[incident.finding.id];
  unknown_ = std::move(diagnosis.unknown);
  findings_cut_ = diagnosis.cut;
  if (!since_) since_ = now.at;
}

bool IncidentBook::is_undecided() const {
  return std::ranges::find(unknown_, Errc::too_early, &Unknown::code) != unknown_.end();
}

void IncidentBook::write_to(Report& report) const {
  report.incidents = incidents_;
  report.findings_cut = findings_cut_;
  report.judged_since = since_;
  for (const auto& rule : rules_) {
    RuleState state{.id = rule.info.id, .severity = rule.info.severity};
    if (const auto opened = opened_.find(rule.info.id); opened != opened_.end())
      state.opened = opened->second;
    for (const auto& unknown : unknown_)
      if (unknown.id == rule.info.id) state.unknown.push_back(unknown);
    report.rules.push_back(std::move(state));
  }
}

}  // namespace tcpdiag
