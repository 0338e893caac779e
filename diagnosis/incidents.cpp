// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/incidents.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "diagnosis/diagnose.h"

namespace tcpdiag {
namespace {

bool is_vague(const Subject& subject) { return subject.kind == SubjectKind::netns; }

// The same rule about the same thing. What is learned later, such as an owner, does not make it another one.
template <class Other>
bool same_subject_exactly(const Finding& finding, const Other& other) {
  const Subject &a = finding.subject, &b = other.subject;
  if (a.kind != b.kind || a.address != b.address || a.port != b.port || a.name != b.name) return false;
  return a.kind != SubjectKind::process || (a.pid == b.pid && a.process == b.process);
}

// Whether `less` may be about the same as `more` while less is known: not which listener of the namespace it
// is, or of several addresses with that port not which.
bool says_less(const Subject& less, const Subject& more) {
  if (is_vague(less)) return true;
  const bool has_address = less.kind == SubjectKind::listener || less.kind == SubjectKind::destination;
  return has_address && less.kind == more.kind && less.address.empty() && less.port == more.port;
}

bool has_been_known_as(const Finding& finding, const Finding& other) {
  return was_known_as(finding, other.subject) || was_known_as(other, finding.subject);
}
bool has_been_known_as(const Finding& finding, const Explained& other) {
  return was_known_as(finding, other.subject);
}

template <class Other>
bool concerns(const Finding& finding, const Other& other) {
  if (finding.id != other.id || finding.netns != other.netns) return false;
  return same_subject_exactly(finding, other) || has_been_known_as(finding, other) ||
         says_less(finding.subject, other.subject) || says_less(other.subject, finding.subject);
}

// Whether one of the two is vague about the namespace: then it could be about any incident in it.
bool one_is_vague(const Subject& a, const Subject& b) { return is_vague(a) || is_vague(b); }

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
  const auto known = std::move(incident.finding);
  incident.finding = finding;
  if (!same_subject_exactly(known, finding) &&
      (says_less(finding.subject, known.subject) || was_known_as(known, finding.subject))) {
    incident.finding.subject = known.subject;
    incident.finding.known_as = known.known_as;
  }

  incident.seen = now;
  const auto lasted = now.at - incident.opened.at - incident.blind_for;
  if (finding.critical_after && lasted >= *finding.critical_after)
    incident.finding.severity = Severity::critical;
}

// What says less than is known of the incident can only be about it when it could be about no other one.
template <class Other>
bool is_about(const Incident& incident, const Other& other, const std::vector<Incident>& incidents) {
  if (!concerns(incident.finding, other)) return false;
  if (same_subject_exactly(incident.finding, other) || has_been_known_as(incident.finding, other))
    return true;
  return std::ranges::none_of(incidents, [&](const Incident& another) {
    if (&another == &incident || !another.is_open() || another.finding.id != other.id ||
        another.finding.netns != other.netns)
      return false;
    return one_is_vague(incident.finding.subject, other.subject) || concerns(another.finding, other);
  });
}

// What this diagnosis means for an open incident.
void judge(Incident& incident, const std::vector<Incident>& incidents, const Diagnosis& diagnosis, Moment now,
           const Hold& hold) {
  const auto about = [&](const auto& other) { return is_about(incident, other, incidents); };
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

// Whether the finding is a consequence of an incident, though its cause is not found at this moment.
bool follows_from(const Finding& finding, const Incident& incident, Moment now, const Hold& hold) {
  const bool is_recent =
      finding.severity != Severity::critical && now.at - incident.seen.at < hold.follows_for;
  return (incident.is_open() || is_recent) &&
         std::ranges::find(finding.causes, incident.finding.id) != finding.causes.end() &&
         same_subject(incident.finding, finding);
}

// Whether the finding has just taken the place of an incident about the same.
bool replaces(const Finding& finding, const Incident& incident, Moment now, const Hold& hold) {
  return !incident.is_open() && incident.closed_by == finding.id &&
         now.at - incident.closed->at < hold.follows_for && same_subject(incident.finding, finding);
}

}  // namespace

std::vector<Incident> advance(std::vector<Incident> incidents, const Diagnosis& diagnosis, Moment now,
                              const Hold& hold) {
  for (auto& incident : incidents)
    if (incident.is_open()) judge(incident, incidents, diagnosis, now, hold);
  for (const auto& finding : diagnosis.findings) {
    const bool is_replacement = std::ranges::any_of(
        incidents, [&](const Incident& incident) { return replaces(finding, incident, now, hold); });
    const bool no_news = std::ranges::any_of(incidents, [&](const Incident& incident) {
      if (incident.is_open() && concerns(incident.finding, finding)) return true;
      return (incident.is_open() || !is_replacement) && follows_from(finding, incident, now, hold);
    });
    if (no_news) continue;
    incidents.push_back({.finding = finding, .opened = now, .seen = now});
  }
  close_longest_absent(incidents, now, hold.open_kept);
  std::ranges::stable_sort(incidents, ComesFirst{now});
  const auto open = static_cast<std::size_t>(std::ranges::count_if(incidents, &Incident::is_open));
  if (incidents.size() > open + hold.closed_kept) incidents.resize(open + hold.closed_kept);
  return incidents;
}

}  // namespace tcpdiag
