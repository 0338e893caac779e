// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/incidents.h"

#include <algorithm>

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

Finding finding(const char* id, std::uint16_t port = 80, Severity severity = Severity::warning) {
  return {.id = id,
          .severity = severity,
          .netns = "host",
          .subject = {.kind = SubjectKind::listener, .address = "0.0.0.0", .port = port}};
}

Moment at(std::chrono::seconds time) {
  return {TimePoint(1h) + time, std::chrono::system_clock::time_point(1h) + time};
}

std::vector<Incident> opened(const Finding& found) { return advance({}, {.findings = {found}}, at(0s), {}); }

}  // namespace

TEST_CASE("a finding opens an incident and keeps it open") {
  auto incidents = opened(finding("a"));
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0].is_open());
  incidents = advance(incidents, {.findings = {finding("a")}}, at(60s), {});
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0].opened == at(0s));
  CHECK(incidents[0].seen == at(60s));
}

TEST_CASE("an incident closes when its finding was absent long enough") {
  auto incidents = advance(opened(finding("a")), {}, at(9s), {});
  CHECK(incidents[0].is_open());
  incidents = advance(incidents, {}, at(10s), {});
  REQUIRE(incidents[0].closed);
  CHECK(*incidents[0].closed == at(10s));
  incidents = advance(incidents, {.findings = {finding("a")}}, at(11s), {});
  REQUIRE(incidents.size() == 2);  // it happens again: another incident
  CHECK(incidents[0].opened == at(11s));
}

TEST_CASE("a finding that flickers is one incident") {
  auto incidents = opened(finding("a"));
  for (auto time = 1s; time < 60s; time += 1s)
    incidents =
        advance(incidents, {.findings = time % 8s == 0s ? std::vector{finding("a")} : std::vector<Finding>{}},
                at(time), {});
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0].is_open());
}

TEST_CASE("an incident whose rule cannot tell stays as it is") {
  const Diagnosis blind{.unknown = {{"a", "host", "netstat: Permission denied"}}};
  auto incidents = advance(opened(finding("a")), blind, at(100s), {});
  CHECK(incidents[0].is_open());
  CHECK(incidents[0].blind);
  incidents = advance(incidents, {}, at(101s), {});
  CHECK(incidents[0].is_open());  // it was blind until now: the absence begins here
  CHECK_FALSE(incidents[0].blind);
  CHECK_FALSE(advance(incidents, {}, at(111s), {})[0].is_open());
}

TEST_CASE("blindness in another namespace or of another rule does not matter") {
  const Diagnosis elsewhere{.unknown = {{"a", "blue", "x"}, {"b", "host", "x"}}};
  auto incidents = advance(opened(finding("a")), elsewhere, at(10s), {});
  CHECK_FALSE(incidents[0].is_open());
}

TEST_CASE("an incident closes while its rule cannot tell about a part only, and opens, too") {
  const Diagnosis in_part{.unknown = {{"a", "host", "x", true}}};
  auto incidents = advance(opened(finding("a")), in_part, at(9s), {});
  CHECK(incidents[0].is_open());
  CHECK_FALSE(incidents[0].blind);
  CHECK_FALSE(advance(incidents, in_part, at(10s), {})[0].is_open());
  const Diagnosis found{.findings = {finding("a")}, .unknown = {{"a", "host", "x", true}}};
  CHECK(advance({}, found, at(0s), {}).size() == 1);
}

TEST_CASE("a finding that another one explains closes at once and says by what") {
  const auto effect = finding("effect");
  const Diagnosis diagnosis{.findings = {finding("cause")},
                            .explained = {{"effect", "host", effect.subject, "cause"}}};
  const auto incidents = advance(opened(effect), diagnosis, at(1s), {});
  REQUIRE(incidents.size() == 2);
  CHECK(incidents[0].finding.id == "cause");
  CHECK(incidents[1].closed_by == "cause");
}

TEST_CASE("an incident that lasts becomes critical if its finding says so") {
  auto lasting = finding("a");
  lasting.critical_after = 60s;
  auto incidents = opened(lasting);
  incidents = advance(incidents, {.findings = {lasting}}, at(59s), {});
  CHECK(incidents[0].finding.severity == Severity::warning);
  incidents = advance(incidents, {.findings = {lasting}}, at(60s), {});
  CHECK(incidents[0].finding.severity == Severity::critical);
}

TEST_CASE("the time in which its rule could not tell does not make an incident critical") {
  auto lasting = finding("a");
  lasting.critical_after = 60s;
  auto incidents = opened(lasting);
  const Diagnosis blind{.unknown = {{"a", "host", "netstat: Permission denied"}}};
  incidents = advance(incidents, blind, at(10s), {});
  incidents = advance(incidents, blind, at(70s), {});
  incidents = advance(incidents, {.findings = {lasting}}, at(71s), {});
  CHECK(incidents[0].finding.severity == Severity::warning);
  incidents = advance(incidents, {.findings = {lasting}}, at(131s), {});
  CHECK(incidents[0].finding.severity == Severity::critical);
}

TEST_CASE("an owner that is learned later belongs to the same incident") {
  auto known = finding("a");
  known.subject.process = "nginx";
  known.subject.pid = 7;
  const auto incidents = advance(opened(finding("a")), {.findings = {known}}, at(1s), {});
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0].finding.subject.process == "nginx");
}

TEST_CASE("a process that is found to hold what was known by its port only is the same incident") {
  auto unknown = finding("leak");
  unknown.subject.address.clear();
  auto known = unknown;
  known.subject = {.kind = SubjectKind::process, .process = "app", .pid = 7};
  known.known_as = {{.kind = SubjectKind::listener, .port = 80}};
  auto incidents = advance(opened(unknown), {.findings = {known}}, at(8s), {});
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0].opened == at(0s));
  CHECK(incidents[0].finding.subject.pid == 7);
  // and is not forgotten when it cannot be read for a while
  incidents = advance(incidents, {.findings = {unknown}}, at(12s), {});
  incidents = advance(incidents, {.findings = {known}}, at(30s), {});
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0].is_open());
  CHECK(incidents[0].finding.subject.process == "app");
  // another process on the same port is another one
  auto other = known;
  other.subject.pid = 8;
  CHECK(advance(incidents, {.findings = {known, other}}, at(31s), {}).size() == 2);
}

TEST_CASE("an address that is learned later belongs to the same incident") {
  for (const auto kind : {SubjectKind::listener, SubjectKind::destination}) {
    auto vague = finding("a"), exact = finding("a"), other = finding("a", 443);
    for (auto* each : {&vague, &exact, &other}) each->subject.kind = kind;
    vague.subject.address.clear();
    auto incidents = advance({}, {.findings = {vague, other}}, at(0s), {});
    incidents = advance(incidents, {.findings = {exact, other}}, at(9s), {});
    REQUIRE(incidents.size() == 2);
    incidents = advance(incidents, {.findings = {exact, other}}, at(20s), {});
    REQUIRE(incidents.size() == 2);
    CHECK(std::ranges::all_of(incidents, &Incident::is_open));
  }
}

TEST_CASE("what follows from an incident opens none of its own while its cause flickers") {
  auto effect = finding("effect");
  effect.causes = {"cause"};
  auto incidents = opened(finding("cause"));
  for (auto time = 1s; time < 10s; time += 1s) {
    const auto found = time % 2s == 0s ? Diagnosis{.findings = {finding("cause")},
                                                   .explained = {{"effect", "host", effect.subject, "cause"}}}
                                       : Diagnosis{.findings = {effect}};
    incidents = advance(incidents, found, at(time), {});
  }
  REQUIRE(incidents.size() == 1);
  // nor from its tail; but what is still there later is one
  incidents = advance(incidents, {.findings = {effect}}, at(20s), {});
  REQUIRE(incidents.size() == 1);
  CHECK_FALSE(incidents[0].is_open());
  CHECK(advance(incidents, {.findings = {effect}}, at(39s), {}).size() == 2);
}

TEST_CASE("what takes the place of its own cause is an incident at once") {
  auto slow = finding("slow");
  slow.causes = {"stalled"};
  const Diagnosis found{.findings = {slow}, .explained = {{"stalled", "host", slow.subject, "slow"}}};
  auto incidents = advance(opened(finding("stalled", 80, Severity::critical)), found, at(5s), {});
  REQUIRE(incidents.size() == 2);
  CHECK(incidents[0].finding.id == "slow");
  CHECK(incidents[0].is_open());
  CHECK(incidents[1].closed_by == "slow");
}

TEST_CASE("what takes the place of its cause is one also where that cause flickered before") {
  auto slow = finding("slow");
  slow.causes = {"stalled"};
  const auto stalled = finding("stalled", 80, Severity::critical);
  auto incidents = advance(opened(stalled), {}, at(10s), {});
  REQUIRE_FALSE(incidents[0].is_open());
  incidents = advance(incidents, {.findings = {stalled}}, at(12s), {});
  const Diagnosis found{.findings = {slow}, .explained = {{"stalled", "host", slow.subject, "slow"}}};
  incidents = advance(incidents, found, at(15s), {});
  CHECK(incidents[0].finding.id == "slow");
}

TEST_CASE("a critical finding waits for its cause only while that is open") {
  auto effect = finding("effect", 80, Severity::critical);
  effect.causes = {"cause"};
  auto incidents = advance(opened(finding("cause")), {.findings = {effect}}, at(5s), {});
  CHECK(incidents.size() == 1);
  CHECK(advance(incidents, {.findings = {effect}}, at(10s), {}).size() == 2);
}

TEST_CASE("a cause elsewhere holds nothing back") {
  auto effect = finding("effect", 443);
  effect.causes = {"cause"};
  CHECK(advance(opened(finding("cause", 80)), {.findings = {effect}}, at(1s), {}).size() == 2);
}

TEST_CASE("the same rule on two ports makes two incidents") {
  const auto incidents = advance({}, {.findings = {finding("a", 80), finding("a", 443)}}, at(0s), {});
  CHECK(incidents.size() == 2);
}

TEST_CASE("what goes on comes before what is past, however bad that was") {
  auto incidents = advance({}, {.findings = {finding("past", 80, Severity::critical)}}, at(0s), {});
  incidents = advance(incidents, {.findings = {finding("present", 80)}}, at(1s), {});
  REQUIRE(incidents.size() == 2);
  CHECK(incidents[0].finding.id == "present");
  CHECK(incidents[1].is_open());
}

TEST_CASE("the worst open incidents come first, closed ones last and only so many are kept") {
  std::vector<Incident> incidents;
  for (int i = 0; i < 30; ++i) {
    const auto time = std::chrono::seconds(20 * i);
    incidents = advance(incidents, {.findings = {finding("a", static_cast<std::uint16_t>(i))}}, at(time),
                        {.closed_kept = 5});
    incidents = advance(incidents, {}, at(time + 10s), {.closed_kept = 5});
  }
  CHECK(incidents.size() == 5);
  CHECK(incidents[0].finding.subject.port == 29);
  incidents =
      advance(incidents, {.findings = {finding("a"), finding("b", 80, Severity::critical)}}, at(1000s), {});
  CHECK(incidents[0].finding.id == "b");
  CHECK(incidents[1].finding.id == "a");
  CHECK_FALSE(incidents[2].is_open());
}

TEST_CASE("open incidents are bounded: those that were absent longest close sooner") {
  const Hold hold{.open_kept = 4};
  std::vector<Incident> incidents;
  for (int second = 0; second < 4; ++second) {
    Diagnosis diagnosis;
    for (std::uint16_t i = 0; i < 2; ++i)
      diagnosis.findings.push_back(finding("a", static_cast<std::uint16_t>(10 * second + i)));
    incidents = advance(std::move(incidents), diagnosis, at(std::chrono::seconds(second)), hold);
  }
  std::vector<std::uint16_t> open;
  for (const auto& incident : incidents)
    if (incident.is_open()) open.push_back(incident.finding.subject.port.value_or(0));
  std::ranges::sort(open);
  CHECK(open == std::vector<std::uint16_t>{20, 21, 30, 31});
}
