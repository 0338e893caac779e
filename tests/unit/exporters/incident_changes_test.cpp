// SPDX-License-Identifier: Apache-2.0
#include "exporters/incident_changes.h"

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

Moment at(std::chrono::seconds time) {
  return {TimePoint(time), std::chrono::system_clock::time_point(time)};
}

Incident incident(const std::string& id, std::chrono::seconds opened, Severity severity = Severity::warning) {
  return {.finding = {.id = id, .severity = severity, .netns = "host", .summary = "of " + id},
          .opened = at(opened),
          .seen = at(opened)};
}

Incident closed(Incident incident, std::chrono::seconds when, const std::string& by = "") {
  incident.closed = at(when);
  incident.closed_by = by;
  return incident;
}

Report report(std::chrono::seconds when, std::vector<Incident> incidents) {
  return {.at = TimePoint(when), .incidents = std::move(incidents)};
}

/// "opened a", "critical now b": what is told, without the summaries.
std::vector<std::string> told(const Report* before, const Report& after) {
  std::vector<std::string> sentences;
  for (const auto& change : changes_between(before, after).changes) {
    const auto sentence = sentence_about(change);
    sentences.push_back(sentence.substr(0, sentence.find(':')) + " " + change.incident.finding.id);
  }
  return sentences;
}

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("what is found first is told once, as opened") {
  const auto first = report(10s, {incident("a", 10s)});
  CHECK(told(nullptr, first) == Told{"opened a"});
  const auto before = report(9s, {});
  CHECK(told(&before, first) == Told{"opened a"});
  const auto next = report(11s, {incident("a", 10s)});
  CHECK(told(&first, next).empty());
}

TEST_CASE("a severity that changes is told, in either direction") {
  const auto before =
      report(10s, {incident("a", 5s), incident("b", 5s, Severity::critical), incident("c", 5s)});
  const auto after = report(
      11s, {incident("a", 5s, Severity::critical), incident("b", 5s, Severity::warning), incident("c", 5s)});
  CHECK(told(&before, after) == Told{"critical now a", "warning now b"});
}

TEST_CASE("what is over is told once, with how long it lasted and what explains it") {
  const auto before = report(52s, {incident("a", 10s), incident("b", 10s)});
  const auto after = report(53s, {closed(incident("a", 10s), 53s), closed(incident("b", 10s), 53s, "c")});
  CHECK(told(&before, after) ==
        Told{"closed after 43 s; it was a", "closed after 43 s, explained by c; it was b"});
  const auto next = report(54s, {closed(incident("a", 10s), 53s), closed(incident("b", 10s), 53s, "c")});
  CHECK(told(&after, next).empty());
}

TEST_CASE("the same finding that comes again is another incident") {
  const auto before = report(20s, {closed(incident("a", 10s), 15s)});
  const auto after = report(21s, {incident("a", 21s, Severity::critical), closed(incident("a", 10s), 15s)});
  CHECK(told(&before, after) == Told{"opened a"});
}

TEST_CASE("what comes and goes between two reports is told whole") {
  const auto before = report(10s, {});
  const auto after = report(20s, {closed(incident("a", 12s), 15s)});
  CHECK(told(&before, after) == Told{"opened a", "closed after 3 s; it was a"});
}

TEST_CASE("incidents that differ in namespace or subject alone are not mixed up") {
  auto blue = incident("a", 5s, Severity::critical);
  blue.finding.netns = "blue";
  auto port = incident("a", 5s, Severity::critical);
  port.finding.subject = {.kind = SubjectKind::listener, .address = "::", .port = 80};
  const auto before = report(10s, {blue, port, incident("a", 5s)});
  const auto after = report(11s, {blue, port, incident("a", 5s)});
  CHECK(told(&before, after).empty());
}

TEST_CASE("the owner that is learned later makes no other incident") {
  auto before = report(10s, {incident("a", 5s)});
  before.incidents[0].finding.subject = {.kind = SubjectKind::listener, .address = "::", .port = 80};
  auto after = before;
  after.at = TimePoint(11s);
  after.incidents[0].finding.subject.process = "nginx";
  after.incidents[0].finding.severity = Severity::critical;
  CHECK(told(&before, after) == Told{"critical now a"});
}

TEST_CASE("an incident that becomes blind, or sees again, is no change") {
  const auto before = report(10s, {incident("a", 5s)});
  auto after = report(11s, {incident("a", 5s)});
  after.incidents[0].blind = true;
  CHECK(told(&before, after).empty());
  CHECK(told(&after, before).empty());
}

TEST_CASE("of very many changes the first are told and the others counted") {
  std::vector<Incident> many(100, incident("a", 10s));
  const auto changes = changes_between(nullptr, report(10s, many));
  CHECK(changes.changes.size() == IncidentChanges::kMost);
  CHECK(changes.left_out == 100 - IncidentChanges::kMost);
}

TEST_CASE("a sentence is one line, whatever a process is called") {
  auto hostile = incident("a", 10s);
  hostile.finding.summary = "x\ny\x1b[31m";
  CHECK(sentence_about({IncidentEvent::opened, hostile}) == "opened: x\\ny\\x1b[31m");
}

TEST_CASE("of very many changes at once those of one owner do not push out another's") {
  std::vector<Incident> incidents;
  for (int i = 0; i < 600; ++i) {
    incidents.push_back(incident("a", 10s));
    incidents.back().finding.subject = {.name = std::to_string(i), .uid = 1000};
  }
  incidents.push_back(incident("b", 10s));
  incidents.back().finding.subject.uid = 33;
  const auto changes = changes_between(nullptr, report(10s, incidents));
  CHECK(changes.changes.size() == IncidentChanges::kMost);
  CHECK(changes.left_out == 601 - IncidentChanges::kMost);
  CHECK(changes.changes.back().incident.finding.id == "b");
}
