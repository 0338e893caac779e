// SPDX-License-Identifier: Apache-2.0
#include "exporters/incident_changes.h"

#include <algorithm>
#include <optional>

#include "core/number_text.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

bool has_same_subject(const Incident& a, const Incident& b) {
  return a.finding.subject.kind == b.finding.subject.kind &&
         to_string(a.finding.subject) == to_string(b.finding.subject);
}

// The same incident at two times. Another one of the same finding is opened at another time.
bool is_same(const Incident& a, const Incident& b) {
  return a.opened.at == b.opened.at && a.finding.id == b.finding.id && a.finding.netns == b.finding.netns &&
         (has_same_subject(a, b) || was_known_as(a.finding, b.finding.subject) ||
          was_known_as(b.finding, a.finding.subject));
}

std::optional<Severity> severity_in(const Report& report, const Incident& incident) {
  const auto found =
      std::ranges::find_if(report.incidents, [&](const Incident& other) { return is_same(other, incident); });
  return found == report.incidents.end() ? std::nullopt : std::optional(found->finding.severity);
}

// Whether it happened at a diagnosis that `before` does not know.
bool is_new(Moment moment, const Report* before) { return before == nullptr || moment.at > before->at; }

bool has_changed(const Incident& incident, const Report* before) {
  if (!incident.is_open() || is_new(incident.opened, before)) return false;
  const auto severity = severity_in(*before, incident);
  return severity && *severity != incident.finding.severity;
}

}  // namespace

std::string_view to_string(IncidentEvent event) {
  switch (event) {
    case IncidentEvent::opened: return "opened";
    case IncidentEvent::changed: return "changed";
    case IncidentEvent::closed: return "closed";
  }
  return "";
}

IncidentChanges changes_between(const Report* before, const Report& after) {
  IncidentChanges found;
  const auto add = [&](IncidentEvent event, auto has_happened) {
    std::vector<const Incident*> incidents;
    for (const auto& incident : after.incidents)
      if (has_happened(incident)) incidents.push_back(&incident);
    const auto most = std::min(incidents.size(), IncidentChanges::kMost - found.changes.size());
    found.left_out += incidents.size() - most;
    for (const auto* incident : worst_of(std::move(incidents), most))
      found.changes.push_back({event, *incident});
  };
  add(IncidentEvent::opened, [&](const Incident& each) { return is_new(each.opened, before); });
  add(IncidentEvent::changed, [&](const Incident& each) { return has_changed(each, before); });
  add(IncidentEvent::closed,
      [&](const Incident& each) { return each.closed && is_new(*each.closed, before); });
  return found;
}

std::string sentence_about(const IncidentChange& change) {
  const auto& incident = change.incident;
  std::string event(to_string(change.event));
  if (change.event == IncidentEvent::changed)
    event = std::string(to_string(incident.finding.severity)) + " now";
  if (change.event == IncidentEvent::closed && incident.closed) {
    const auto lasted = std::chrono::round<std::chrono::seconds>(incident.closed->at - incident.opened.at);
    event += " after " + duration_text(lasted);
    if (!incident.closed_by.empty()) event += ", explained by " + incident.closed_by;
    event += "; it was";
  }
  return event + ": " + one_line(incident.finding.summary);
}

}  // namespace tcpdiag
