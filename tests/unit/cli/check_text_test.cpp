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

/// The line that says how many findings there are; without details it is the last one.
std::string last_line(const FindingsAnswer& answer, LookedBy by = LookedBy::this_program) {
  return lines_of(to_brief_text(answer, by, {})).back();
}

FindingsAnswer::Found found(Severity severity, std::string title, std::string process, std::string action) {
  FindingsAnswer::Found found{.finding = {.id = "id", .title = std::move(title), .severity = severity}};
  found.finding.subject = {.kind = SubjectKind::listener,
                           .address = "0.0.0.0",
                           .port = 80,
                           .process = std::move(process),
                           .pid = 7};
  found.finding.advice = {{.action = std::move(action)}};
  found.finding.not_helping = {"nothing"};
  return found;
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
    for (const auto& line :
         lines_of(to_text(answer_for(report), LookedBy::daemon, {.columns = columns, .terminal = true}))) {
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
        "No findings.\n"
        "\n"
        "Cannot tell: a, c: /dev/kmsg: Operation not permitted\n"
        "Cannot tell: b: netstat: not read yet\n"
        "Cannot tell: c (in blue): /dev/kmsg: Operation not permitted\n");
}

TEST_CASE("a brief check is a line for each finding, with who, where, the cause and what to do first") {
  FindingsAnswer answer;
  answer.findings = {found(Severity::critical, "The application does not accept", "nginx", "Restart it."),
                     found(Severity::warning, "The queue is too small", "a-server", "Raise the backlog.")};
  answer.findings[1].finding.netns = "blue";
  answer.findings.push_back(found(Severity::warning, "Bursts", "nginx", "Raise the backlog."));
  answer.findings.back().last_seen.emplace();
  const std::string rows =
      "CRITICAL  nginx[7]     0.0.0.0:80          The application does not accept: Restart it.\n"
      "WARNING   a-server[7]  0.0.0.0:80 in blue  The queue is too small: Raise the backlog.\n"
      "WARNING   nginx[7]     0.0.0.0:80          Bursts (resolved)\n"
      "3 findings (1 critical, 2 warning).\n";
  CHECK(to_brief_text(answer, LookedBy::this_program, {}) == rows);
  CHECK(
      to_text(answer, LookedBy::this_program, {}).starts_with(rows + "\nCRITICAL id  0.0.0.0:80 nginx[7]\n"));
}

TEST_CASE(
    "a long line of a brief check goes on below its last column on a terminal, and stays whole in a pipe") {
  FindingsAnswer answer;
  answer.findings = {found(Severity::critical, "The application does not accept", "nginx",
                           "Find out what nginx[7] waits for: a lock, a database.")};
  const auto piped = lines_of(to_brief_text(answer, LookedBy::this_program, {}));
  CHECK(piped.size() == 2);
  const auto wrapped =
      lines_of(to_brief_text(answer, LookedBy::this_program, {.columns = 60, .terminal = true}));
  REQUIRE(wrapped.size() == 4);
  CHECK(wrapped[0] == "CRITICAL  nginx[7]  0.0.0.0:80");
  CHECK(wrapped[1] == std::string(10, ' ') + "The application does not accept: Find out what");
  const auto wide =
      lines_of(to_brief_text(answer, LookedBy::this_program, {.columns = 80, .terminal = true}));
  REQUIRE(wide.size() == 3);
  CHECK(wide[0] == "CRITICAL  nginx[7]  0.0.0.0:80  The application does not accept: Find out what");
  CHECK(wide[1].starts_with(std::string(32, ' ') + "nginx[7] waits for"));
}

TEST_CASE("a brief check is a screen at most") {
  FindingsAnswer answer;
  for (int i = 0; i < 100; ++i)
    answer.findings.push_back(found(Severity::warning, "Title", "server", "Act."));
  const auto lines = lines_of(to_brief_text(answer, LookedBy::this_program, {}));
  CHECK(lines.size() <= 24);
  CHECK(lines[kBriefRows] == "and 80 further findings");
}

TEST_CASE("what is over has no advice of its own") {
  FindingsAnswer answer;
  answer.findings = {found(Severity::warning, "Bursts", "nginx", "Raise the backlog.")};
  CHECK(to_text(answer, LookedBy::daemon, {}).find("Do:\n    1. Raise the backlog.") != std::string::npos);
  answer.findings[0].last_seen.emplace();
  const auto text = to_text(answer, LookedBy::daemon, {});
  CHECK(text.find("Raise the backlog") == std::string::npos);
  CHECK(text.find("Does not help") == std::string::npos);
  CHECK(text.find("  resolved: from 1970-01-01 00:00:00 UTC") != std::string::npos);
}

TEST_CASE("the count says what was looked at and for how long") {
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
  CHECK(last_line(answer).ends_with("--duration=60s, or ask a daemon (--url)."));
}

TEST_CASE("what was not looked into is one sentence, by reason, with the first names") {
  FindingsAnswer answer;
  answer.left_out = {{.why = NetnsState::excluded, .count = 2, .names = {"a", "b"}},
                     {.why = NetnsState::denied, .count = 12, .names = {"vault", "x\x1b[31m"}},
                     {.why = NetnsState::too_many, .count = 745}};
  answer.unasked_processes = 3;
  const auto text = to_brief_text(answer, LookedBy::daemon, {.columns = 1000});
  CHECK_THAT(text,
             ContainsSubstring(
                 "\nNot looked into: 2 namespaces excluded by the configuration (a, b); 12 namespaces that "
                 "may not be entered (vault, x\\x1b[31m, …); 745 namespaces beyond those that can be "
                 "watched; the namespaces of 3 processes that may not be asked, which takes root or "
                 "CAP_SYS_PTRACE.\n"));
  answer.left_out.clear();
  answer.unasked_processes = 0;
  CHECK_THAT(to_brief_text(answer, LookedBy::daemon, {}), !ContainsSubstring("Not looked into"));
}
