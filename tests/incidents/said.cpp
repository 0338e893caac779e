// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/said.h"

#include <algorithm>

namespace tcpdiag::incidents {

Said::Said(std::vector<Expected> expected) : expected_(std::move(expected)), when_(expected_.size()) {}

void Said::take(const std::string& answer, TimePoint at) {
  latest_ = answer;
  const auto findings = parse_findings(answer);
  if (!findings) {
    trouble_ = findings.error().detail;
    return;
  }
  if (findings->size() >= most_) fullest_ = answer;
  most_ = std::max(most_, findings->size());
  for (const auto& finding : *findings) note(finding, at);
  last_answer_ = at;
}

void Said::note(const SeenFinding& finding, TimePoint at) {
  auto known =
      std::ranges::find_if(sightings_, [&](const Sighting& each) { return each.finding.is_same(finding); });
  if (known == sightings_.end()) known = sightings_.insert(known, Sighting{});
  if (known->opened.empty() || known->last != last_answer_) known->opened.push_back(at);
  known->finding = finding;
  known->last = at;
  for (std::size_t each = 0; each < expected_.size(); ++each) {
    if (!matches(expected_[each], finding)) continue;
    known->as_expected = true;
    auto& match = when_[each];
    if (!match.first) match.first = at;
    match.last = at;
  }
}

bool Said::is_there(std::size_t index) const {
  return when_[index].first && when_[index].last == last_answer_;
}

bool Said::all_there() const {
  for (std::size_t each = 0; each < expected_.size(); ++each)
    if (!is_there(each)) return false;
  return true;
}

bool Said::all_closed() const {
  for (std::size_t each = 0; each < expected_.size(); ++each)
    if (expected_[each].closes && is_there(each)) return false;
  return true;
}

}  // namespace tcpdiag::incidents
