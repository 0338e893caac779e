// SPDX-License-Identifier: Apache-2.0
// The incident suite's own judgement: a judge that passes everything would prove nothing.
#include "tests/incidents/judge.h"

#include "tests/catch.h"
#include "tests/incidents/matrix.h"

using namespace tcpdiag;
using namespace tcpdiag::incidents;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart{1000s};

std::string finding(const std::string& id, const std::string& severity = "critical", int port = 5000,
                    const std::string& process = "gunicorn") {
  return R"({"id": ")" + id + R"(", "severity": ")" + severity + R"(", "netns": "host", "summary": "why",)" +
         R"("subject": {"kind": "listener", "address": "0.0.0.0", "port": )" + std::to_string(port) +
         R"(, "process": ")" + process + R"("}, "bites": {"limit": "listen backlog", "value": 128}})";
}

std::string answer(const std::string& findings) {
  return R"({"generated_at": "2026-01-02T03:04:05Z", "findings": [)" + findings + R"(], "unknown": []})";
}

const Scenario kStalled{.id = "2",
                        .name = "stuck",
                        .expected = {{.id = "stalled",
                                      .port = 5000,
                                      .process = "gunicorn",
                                      .limit = "backlog",
                                      .limit_value = 128,
                                      .severity = "critical",
                                      .within = 5s}},
                        .look_alikes = {"burst-*"},
                        .allowed = {{.id = "fd-*", .why = "it is true as well"}}};

// What the daemon shows in each second from the start; the evidence is there at once, the cause is gone after
// ten seconds.
Outcome judged(const std::vector<std::string>& each_second, const Scenario& scenario = kStalled) {
  Said said(scenario.expected);
  auto at = kStart;
  for (const auto& findings : each_second) said.take(answer(findings), at += 1s);
  Outcome outcome;
  judge(scenario, said, {.evidence = kStart, .removed = kStart + 10s}, outcome);
  return outcome;
}

std::vector<std::string> seconds(std::size_t count, const std::string& findings) {
  return std::vector<std::string>(count, findings);
}

std::vector<std::string> operator+(std::vector<std::string> first, const std::vector<std::string>& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

void check_fails(const Outcome& outcome, const std::string& how) {
  REQUIRE(outcome.failures.size() == 1);
  CHECK_THAT(outcome.failures.front(), ContainsSubstring(how));
}

}  // namespace

TEST_CASE("a finding in time that closes after its cause passes") {
  const auto outcome = judged(seconds(2, "") + seconds(12, finding("stalled")) + seconds(1, ""));
  CHECK(outcome.failures.empty());
  REQUIRE(outcome.named.size() == 1);
  CHECK(outcome.named[0].kind == Named::Kind::expected);
  CHECK(outcome.named[0].found_after == 3);
  CHECK(outcome.named[0].closed_after == 4);
}

TEST_CASE("a finding that is not there, late, early, or stays fails") {
  check_fails(judged(seconds(15, "")), "not found: stalled");
  check_fails(judged(seconds(5, "") + seconds(9, finding("stalled")) + seconds(1, "")), "late");
  check_fails(judged(seconds(15, finding("stalled"))), "not closed");
  Said said(kStalled.expected);
  said.take(answer(finding("stalled")), kStart - 2s);
  said.take(answer(""), kStart + 20s);
  Outcome outcome;
  judge(kStalled, said, {.evidence = kStart, .removed = kStart + 10s}, outcome);
  check_fails(outcome, "too early");
}

TEST_CASE("a finding of another port, process, limit or severity is not the one that is expected") {
  for (const auto& wrong :
       {finding("stalled", "critical", 6000), finding("stalled", "critical", 5000, "nginx")}) {
    const auto outcome = judged(seconds(3, wrong) + seconds(1, ""));
    REQUIRE(outcome.failures.size() == 2);
    CHECK_THAT(outcome.failures[0], ContainsSubstring("not found"));
    CHECK_THAT(outcome.failures[1], ContainsSubstring("not expected"));
  }
  const auto mild = judged(seconds(3, finding("stalled", "info")) + seconds(1, ""));
  check_fails(mild, "not found: stalled (critical)");
}

TEST_CASE("a process that becomes known later makes no second finding") {
  const auto outcome = judged(seconds(2, finding("stalled", "critical", 5000, "")) +
                              seconds(9, finding("stalled")) + seconds(1, ""));
  CHECK(outcome.failures.empty());
  CHECK(outcome.named.size() == 1);
}

TEST_CASE("a look-alike fails at any severity, what else is above info too, unless it is allowed") {
  const auto with = [](const std::string& other) {
    return judged(seconds(3, finding("stalled") + "," + other) + seconds(1, ""));
  };
  check_fails(with(finding("burst-small", "info")), "look-alike: burst-small");
  check_fails(with(finding("other", "warning")), "not expected: other");
  CHECK(with(finding("other", "info")).failures.empty());
  CHECK(with(finding("fd-limit", "critical")).failures.empty());
}

TEST_CASE("silence passes where nothing is expected, and nothing else does") {
  const Scenario silent{.id = "1b", .name = "paced"};
  CHECK(judged(seconds(3, ""), silent).failures.empty());
  check_fails(judged(seconds(3, finding("any", "warning")), silent), "not expected: any");
}

TEST_CASE("a finding that comes and goes while its cause is there fails") {
  const auto outcome = judged(seconds(3, finding("stalled")) + seconds(1, "") +
                              seconds(3, finding("stalled")) + seconds(9, ""));
  check_fails(outcome, "opened 2 times");
}

TEST_CASE("an answer that is not what is documented fails") {
  Said said(kStalled.expected);
  said.take(R"({"findings": [{"id": "stalled"}]})", kStart);
  Outcome outcome;
  judge({}, said, {.evidence = kStart, .removed = kStart + 10s}, outcome);
  REQUIRE_FALSE(outcome.failures.empty());
  CHECK_THAT(outcome.failures.front(), ContainsSubstring("the daemon's answers"));
}

TEST_CASE("an outcome crosses the pipe unchanged") {
  auto outcome = judged(seconds(3, finding("stalled") + "," + finding("other", "warning")) + seconds(1, ""));
  outcome.observed = {{"overflows", "392"}};
  outcome.missing = {"x"};
  outcome.earlier = {"played again"};
  const auto received = parse_outcome(to_json(outcome));
  REQUIRE(received);
  CHECK(to_json(*received) == to_json(outcome));
  CHECK_FALSE(parse_outcome("waits for: an overflow"));
}

TEST_CASE("the matrix shows what was found, missing, wrong and allowed, and is narrow enough to be read") {
  auto outcome = judged(seconds(3, finding("stalled") + "," + finding("other", "warning") + "," +
                                       finding("fd-limit") + "," + finding("x", "info")) +
                        seconds(1, ""));
  outcome.id = "2";
  outcome.missing.emplace_back("absent");
  const auto matrix = to_matrix({outcome});
  CHECK_THAT(matrix, ContainsSubstring("? a ! X i"));
  std::vector<Outcome> many(40, outcome);
  for (int each = 0; each < 45; ++each) many[0].missing.push_back("finding-" + std::to_string(each));
  const auto wide = to_matrix(many);
  for (std::size_t from = 0, to = 0; (to = wide.find('\n', from)) != std::string::npos; from = to + 1)
    CHECK(to - from <= 160);
}
