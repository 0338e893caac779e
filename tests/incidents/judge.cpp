// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/judge.h"

#include <fmt/format.h>

#include <algorithm>

namespace tcpdiag::incidents {
namespace {

constexpr double kTooEarly = -1;  // the stage looks at the kernel often enough to be less late

double seconds(TimePoint from, TimePoint to) { return std::chrono::duration<double>(to - from).count(); }

// "accept-queue-app-stalled port 5000 gunicorn": what was asked for.
std::string describe(const Expected& expected) {
  return SeenFinding{.id = expected.id,
                     .severity = expected.severity.empty() ? "any severity" : expected.severity,
                     .process = expected.process,
                     .port = expected.port,
                     .limit = expected.limit,
                     .limit_value = expected.limit_value}
             .describe() +
         (expected.says.empty() ? "" : ", saying \"" + expected.says + "\"");
}

std::string those_with_id(const std::string& id, const std::vector<Sighting>& sightings) {
  std::string text;
  for (const auto& each : sightings)
    if (each.finding.id == id) text += (text.empty() ? "; seen: " : ", ") + each.finding.describe();
  return text.empty() ? "; it was never seen" : text;
}

void judge_expected(const Said& said, std::size_t index, const Course& course, Outcome& outcome) {
  const auto& expected = said.expected()[index];
  const auto& match = said.when()[index];
  const auto what = describe(expected);
  if (!match.first) {
    outcome.missing.push_back(expected.id);
    outcome.failures.push_back("not found: " + what + those_with_id(expected.id, said.sightings()));
    return;
  }
  Named named{.finding = expected.id, .text = what, .kind = Named::Kind::expected};
  named.found_after = seconds(course.evidence, *match.first);
  if (*named.found_after > static_cast<double>(expected.within.count()))
    outcome.failures.push_back(fmt::format("late: {} after {:.1f} s, not within {} s", what,
                                           *named.found_after, expected.within.count()));
  if (*named.found_after < kTooEarly)
    outcome.failures.push_back(
        fmt::format("too early: {} {:.1f} s before its evidence", what, -*named.found_after));
  if (expected.closes && said.is_there(index))
    outcome.failures.push_back(fmt::format("not closed: {}, {:.0f} s after its cause was gone", what,
                                           seconds(course.removed, match.last)));
  else if (expected.closes)
    named.closed_after = seconds(course.removed, match.last);
  outcome.named.push_back(std::move(named));
}

// A finding that goes and comes while its cause is there makes an alert that nobody believes.
void judge_steadiness(const Sighting& sighting, const Course& course, Outcome& outcome) {
  const auto times =
      std::ranges::count_if(sighting.opened, [&](TimePoint at) { return at < course.removed; });
  if (times > 1)
    outcome.failures.push_back(
        fmt::format("came and went: {} opened {} times", sighting.finding.describe(), times));
}

// What a failure tells of a finding that should not be there.
std::string story_of(const Sighting& sighting, const Course& course) {
  const auto& finding = sighting.finding;
  const auto opened = sighting.opened.front();
  const auto when = opened < course.removed
                        ? fmt::format("{:+.1f} s from the first evidence", seconds(course.evidence, opened))
                        : fmt::format("{:+.1f} s from the end of the cause", seconds(course.removed, opened));
  return fmt::format("{}, {}: {}", finding.describe(), when, finding.summary);
}

Named::Kind kind_of(const Scenario& scenario, const Sighting& sighting, const Course& course,
                    Outcome& outcome) {
  const auto& finding = sighting.finding;
  const auto named_in = [&](const auto& list, auto id_of) {
    return std::ranges::any_of(list, [&](const auto& each) { return is_one_of(finding.id, id_of(each)); });
  };
  if (named_in(scenario.look_alikes, [](const std::string& each) { return each; })) {
    outcome.failures.push_back("look-alike: " + story_of(sighting, course));
    return Named::Kind::wrong;
  }
  if (named_in(scenario.allowed, [](const Allowed& each) { return each.id; })) return Named::Kind::allowed;
  if (finding.severity == "info") return Named::Kind::info;
  outcome.failures.push_back("not expected: " + story_of(sighting, course));
  return Named::Kind::wrong;
}

}  // namespace

void judge(const Scenario& scenario, const Said& said, const Course& course, Outcome& outcome) {
  if (!said.trouble().empty()) outcome.failures.push_back("the daemon's answers: " + said.trouble());
  for (std::size_t each = 0; each < said.expected().size(); ++each)
    judge_expected(said, each, course, outcome);
  for (const auto& sighting : said.sightings()) {
    judge_steadiness(sighting, course, outcome);
    if (sighting.as_expected) continue;
    const auto& finding = sighting.finding;
    const auto kind = kind_of(scenario, sighting, course, outcome);
    outcome.named.push_back({.finding = finding.id, .text = finding.describe(), .kind = kind});
  }
}

}  // namespace tcpdiag::incidents
