// SPDX-License-Identifier: Apache-2.0
#include "cli/check_text.h"

#include <algorithm>
#include <sstream>

#include "core/utf8.h"
#include "exporters/findings_json.h"
#include "tests/catch.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

FindingsAnswer answer_for(const Report& report) {
  auto answer = parse_findings(findings_json_text(report));
  REQUIRE(answer);
  return *answer;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string last_line(const FindingsAnswer& answer, LookedBy by = LookedBy::this_program) {
  return lines_of(to_text(answer, by, {})).back();
}

}  // namespace

TEST_CASE("a check reads as the one that was looked at") {
  check_committed("tests/unit/cli/check.golden.txt",
                  to_text(answer_for(sample_report()), LookedBy::this_program, {}));
}

TEST_CASE("a check on a narrow terminal with colours reads as the one that was looked at") {
  const TextStyle style{.columns = 60, .colour = true};
  check_committed("tests/unit/cli/check_narrow.golden.txt",
                  to_text(answer_for(sample_report()), LookedBy::daemon, style));
}

TEST_CASE("every line fits apart from commands, which are never broken") {
  auto report = sample_report();
  const std::string word(300, 'x');
  auto& finding = report.incidents[0].finding;
  finding.subject.owner = named_owner(OwnerKind::other, word);
  finding.summary = finding.evidence[0].name = finding.bites->ceiling = word;
  finding.advice[0] = {word, "sysctl " + word + "\nsecond " + word, word, word};
  finding.not_helping = finding.consequences = {word};
  report.rules[3].unknown[0].why = word;
  for (const std::size_t columns : {std::size_t{40}, std::size_t{77}, std::size_t{100}}) {
    std::size_t commands = 0;
    for (const auto& line : lines_of(to_text(answer_for(report), LookedBy::daemon, {.columns = columns}))) {
      CAPTURE(columns, line);
      if (line.find("tcpdiag explain ") != std::string::npos) continue;  // that is one, too
      if (line.ends_with("sysctl " + word) || line.ends_with("second " + word))
        ++commands;
      else
        CHECK(columns_of(line) <= columns);
    }
    CHECK(commands == 2);
  }
}

TEST_CASE("what a host calls its processes reaches the terminal as text only") {
  const auto text = to_text(answer_for(hostile_report()), LookedBy::this_program, {});
  CHECK(text.find('\x1b') == std::string::npos);
  for (auto rest = std::string_view(text); !rest.empty(); rest.remove_prefix(utf8_length(rest)))
    REQUIRE(utf8_length(rest) > 0);
}

TEST_CASE("rules that cannot tell for the same reason share a line") {
  FindingsAnswer answer;
  answer.unknown = {{{"a", "", "/dev/kmsg: Operation not permitted"}, Severity::warning},
                    {{"b", "host", "netstat: not read yet"}, Severity::warning},
                    {{"c", "host", "/dev/kmsg: Operation not permitted"}, Severity::warning},
                    {{"c", "blue", "/dev/kmsg: Operation not permitted"}, Severity::warning}};
  CHECK(to_text(answer, LookedBy::this_program, {}) ==
        "Cannot tell: a, c: /dev/kmsg: Operation not permitted\n"
        "Cannot tell: b: netstat: not read yet\n"
        "Cannot tell: c (in blue): /dev/kmsg: Operation not permitted\n"
        "\n"
        "No findings.\n");
}

TEST_CASE("the last line says what was looked at and for how long") {
  FindingsAnswer answer{.watched_for = std::chrono::seconds(30), .namespaces = 1, .listeners = 3};
  answer.connections = 12;
  CHECK(last_line(answer) == "No findings in 30 s over 3 listeners, 12 connections, 1 namespace.");
  CHECK(last_line(answer, LookedBy::daemon) ==
        "No findings at 1970-01-01 00:00:00 UTC over 3 listeners, 12 connections, 1 namespace.");
  answer.findings.push_back({.finding = {.id = "a", .severity = Severity::warning}});
  CHECK(last_line(answer) == "1 warning finding in 30 s over 3 listeners, 12 connections, 1 namespace.");
  answer.findings.push_back({.finding = {.id = "b", .severity = Severity::critical}});
  answer.connections.reset();
  CHECK(last_line(answer) == "2 findings (1 critical, 1 warning) in 30 s over 3 listeners, 1 namespace.");
  answer.watched_for = std::chrono::seconds(29);
  CHECK(last_line(answer).ends_with("--duration=30s, or ask a daemon (--url)."));
}
