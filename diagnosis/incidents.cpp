// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/incidents.h"

#include <algorithm>
#include <span>
#include <tuple>

namespace tcpdiag {
namespace {

bool is_vague(const Subject& subject) { return subject.kind == SubjectKind::netns; }

// The same rule about the same thing. What is learned later, such as an owner, does not make it another one,
// nor that at first, or at last, it could not be told which listener of the namespace it is about.
template <class Other>
bool same_subject_exactly(const Finding& finding, const Other& other) {
  const Subject &a = finding.subject, &b = other.subject;
  if (a.kind != b.kind || a.address != b.address || a.port != b.port || a.name != b.name) return false;
  return a.kind != SubjectKind::process || (a.pid == b.pid && a.process == b.process);
}
template <class Other>
bool concerns(const Finding& finding, const Other& other) {
  if (finding.id != other.id || finding.netns != other.netns) return false;
  if (is_vague(finding.subject) || is_vague(other.subject)) return true;
  return same_subject_exactly(finding, other);
}

bool is_blind(const Finding& finding, const Diagnosis& diagnosis) {
  return std::ranges::any_of(diagnosis.unknown, [&](const Unknown& unknown) {
    return !unknown.in_part && unknown.id == finding.id && unknown.netns == finding.netns;
  });
}

void close(Incident& incident, Moment now, std::string by) {
  incident.closed = now;
  incident.closed_by = std::move(by);
  incident.blind = false;
}

void see(Incident& incident, const Finding& finding, Moment now) {
  const auto known = incident.finding.subject;
  incident.finding = finding;
  if (is_vague(finding.subject)) incident.finding.subject = known;

  incident.seen = now;
  const auto lasted = now.at - incident.opened.at - incident.blind_for;
  if (finding.critical_after && lasted >= *finding.critical_after)
    incident.finding.severity = Severity::critical;
}

// What this diagnosis means for an open incident.
// `alone`: no other one of its rule is open in the namespace, so that a vague finding can only be about it.
void judge(Incident& incident, const Diagnosis& diagnosis, Moment now, const Hold& hold, bool alone) {
  const auto about = [&](const auto& other) {
    return concerns(incident.finding, other) && (alone || same_subject_exactly(incident.finding, other));
  };
  // While blind, time does not count: neither as an absence nor towards a higher severity.
  const bool was_blind = incident.blind;
  incident.blind = is_blind(incident.finding, diagnosis);
  if (incident.blind) return;
  if (was_blind) {
    incident.blind_for += now.at - incident.seen.at;
    incident.seen = now;
  }
  if (const auto found = std::ranges::find_if(diagnosis.findings, about); found != diagnosis.findings.end())
    see(incident, *found, now);
  else if (const auto cause = std::ranges::find_if(diagnosis.explained, about);
           cause != diagnosis.explained.end())
    close(incident, now, cause->by);
  else if (now.at - incident.seen.at >= hold.closes_after)
    close(incident, now, {});
}

bool is_alone(const Incident& incident, const std::vector<Incident>& incidents) {
  return std::ranges::count_if(incidents, [&](const Incident& other) {
           return other.is_open() && other.finding.id == incident.finding.id &&
                  other.finding.netns == incident.finding.netns;
         }) == 1;
}

// Whether this diagnosis has it no more, although it is not held to be over yet.
bool is_past(const Incident& incident, Moment now) {
  return incident.is_open() && !incident.blind && incident.seen.at < now.at;
}

// What goes on comes before what is past, and among these the worst; then what is closed, the latest first.
struct ComesFirst {
  Moment now;

  bool operator()(const Incident& a, const Incident& b) const {
    if (a.is_open() != b.is_open()) return a.is_open();
    if (!a.is_open()) return a.closed->at > b.closed->at;
    return std::tuple(is_past(a, now), b.finding.severity, a.opened.at) <
           std::tuple(is_past(b, now), a.finding.severity, b.opened.at);
  }
};

// Subjects that come and go may leave very many that are only not over yet.
void close_longest_absent(std::vector<Incident>& incidents, Moment now, std::size_t kept) {
  std::vector<Incident*> absent;
  std::size_t open = 0;
  for (auto& incident : incidents) {
    if (!incident.is_open()) continue;
    ++open;
    if (!incident.blind && incident.seen.at != now.at) absent.push_back(&incident);
  }
  if (open <= kept) return;
  std::ranges::sort(absent, {}, [](const Incident* incident) { return incident->seen.at; });
  for (auto* incident : std::span(absent).first(std::min(absent.size(), open - kept)))
    close(*incident, now, {});
}

}  // namespace

std::vector<Incident> advance(std::vector<Incident> incidents, const Diagnosis& diagnosis, Moment now,
                              const Hold& hold) {
  for (auto& incident : incidents)
    if (incident.is_open()) judge(incident, diagnosis, now, hold, is_alone(incident, incidents));
  for (const auto& finding : diagnosis.findings) {
    const bool open = std::ranges::any_of(incidents, [&](const Incident& incident) {
      return incident.is_open() && concerns(incident.finding, finding);
    });
    if (open) continue;
    incidents.push_back({.finding = finding, .opened = now, .seen = now});
  }
  close_longest_absent(incidents, now, hold.open_kept);
  std::ranges::stable_sort(incidents, ComesFirst{now});
  const auto open = static_cast<std::size_t>(std::ranges::count_if(incidents, &Incident::is_open));
  if (incidents.size() > open + hold.closed_kept) incidents.resize(open + hold.closed_kept);
  return incidents;
}

}  // namespace tcpdiag
