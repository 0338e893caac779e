// SPDX-License-Identifier: Apache-2.0
#include "tests/engine.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/check_text.h"
#include "cli/connections.h"
#include "cli/fds.h"
#include "cli/findings_answer.h"
#include "cli/listeners.h"
#include "cli/port_view.h"
#include "cli/sysctl.h"
#include "core/finding_order.h"
#include "core/sysctls.h"
#include "core/utf8.h"
#include "daemon/finding_log.h"
#include "daemon/incident_book.h"
#include "daemon/status_line.h"
#include "diagnosis/catalog.h"
#include "diagnosis/urgency.h"
#include "exporters/findings_json.h"
#include "exporters/incident_changes.h"
#include "exporters/journal.h"
#include "exporters/json.h"
#include "exporters/landing_page.h"
#include "exporters/prometheus.h"
#include "tests/random_machine.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::json;

class Judge {
 public:
  explicit Judge(EngineOutcome& outcome) : outcome_(outcome) {}

  void fault(const std::string& where, std::string_view what) {
    constexpr std::size_t kMost = 20;
    if (outcome_.faults.size() < kMost) outcome_.faults.push_back(where + ": " + one_line(what));
  }

  void line(const std::string& where, std::string_view text) {
    if (!is_one_line(text)) fault(where, text);
  }
  void lines(const std::string& where, std::string_view text) {
    while (!text.empty()) {
      const auto one = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), one.size() + 1));
      line(where, one);
    }
  }
  void number(const std::string& where, double value) {
    if (!std::isfinite(value)) fault(where, "not a number");
  }

  /// Each line is a comment or ends with its number.
  void metrics(const std::string& page) {
    lines("metrics", page);
    std::istringstream stream(page);
    for (std::string sample; std::getline(stream, sample);) {
      if (sample.starts_with('#')) continue;
      const auto value = sample.substr(sample.rfind(' ') + 1);
      if (value.find_first_not_of("0123456789.e+-") != std::string::npos) fault("metrics", sample);
    }
  }

  /// Texts as they are once the JSON is read; a number that is none would be null.
  void json(const std::string& where, const std::string& text) {
    lines(where, text);
    const auto parsed = Json::parse(text, nullptr, false);
    if (parsed.is_discarded()) return fault(where, "not JSON");
    values(where, parsed);
  }

  void evidence(const Finding& finding) {
    for (const auto& each : finding.evidence) {
      number(finding.id + " " + each.name, each.value);
      const bool is_setting = std::ranges::any_of(
          sysctl_table(), [&](const SysctlSpec& spec) { return each.name.starts_with(spec.name); });
      if (each.value < 0 && !is_setting) fault(finding.id, each.name + " is below zero");
      if (each.window && each.window->count() < 0) fault(finding.id, each.name + " looks ahead");
    }
    if (finding.bites) number(finding.id + " " + finding.bites->limit, finding.bites->value);
  }

 private:
  void values(const std::string& where, const Json& value) {
    if (value.is_null()) fault(where, "null");
    if (value.is_string()) lines(where, value.get_ref<const std::string&>());
    if (!value.is_structured()) return;
    for (const auto& [key, member] : value.items()) {
      line(where, key);
      values(value.is_object() ? where + "." + key : where, member);
    }
  }

  EngineOutcome& outcome_;
};

void judge_changes(const Report* before, const Report& report, Judge& judge) {
  for (const auto format : {LogFormat::logfmt, LogFormat::json}) {
    std::ostringstream stream;
    Log log(LogLevel::trace, format, stream);
    for (const auto& change : changes_between(before, report).changes) {
      write_line(change, log);
      judge.line("sentence", sentence_about(change));
      for (const auto& [name, value] : journal_fields(change)) judge.line("journal " + name, value);
    }
    judge.lines("log", stream.str());
  }
}

// What the daemon found, as the command reads it: shown, but not shown twice.
void judge_answer(const Report& report, Judge& judge) {
  const auto answer = parse_findings(findings_json_text(report));
  if (!answer) return judge.fault("answer", answer.error().detail);
  std::vector<const Finding*> open;
  for (const auto* incident : in_reading_order(open_incidents(report), report.at))
    open.push_back(&incident->finding);
  if (open.size() != answer->findings.size()) return judge.fault("answer", "not all findings");
  for (std::size_t i = 0; i < open.size(); ++i) {
    const auto& read = answer->findings[i].finding;
    if (read.summary != one_line(open[i]->summary) ||
        read.subject.process != one_line(open[i]->subject.process) ||
        read.netns != one_line(open[i]->netns) || read.advice.size() != open[i]->advice.size())
      judge.fault("answer", read.summary);
  }
  for (const auto by : {LookedBy::this_program, LookedBy::daemon, LookedBy::lint})
    judge.lines("check", to_text(*answer, by, {}));
}

void judge_faces(const Report* before, const Report& report, Judge& judge) {
  for (const auto& incident : report.incidents) judge.evidence(incident.finding);
  judge.metrics(to_prometheus_text(report));
  judge.json("report", to_json_text(report));
  judge.json("findings", findings_json_text(report));
  judge.json("incidents", incidents_json_text(report));
  judge.lines("page", landing_page(&report));
  judge.line("status", status_line(report));
  judge_changes(before, report, judge);
  judge_answer(report, judge);
  judge.lines("listeners", listeners_text(report, {}));
  judge.lines("connections", connections_text(report, {}));
  judge.lines("port", port_text(only_port(report, 80), 80, {}, {}));
  judge.lines("fds", fds_text(report, {}, {}));
  judge.lines("sysctl", sysctl_text(report, {}));
}

}  // namespace

EngineOutcome run_engine(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kMostTicks = 12;
  EngineOutcome outcome;
  Judge judge(outcome);
  Choices choices(bytes);
  RandomMachine machine(choices);
  IncidentBook book(rule_catalog());
  std::optional<Report> before;
  for (std::size_t tick = 0; tick < kMostTicks && !choices.used_up(); ++tick) {
    auto snapshot = machine.next();
    const auto wall = std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(snapshot.at.time_since_epoch()));
    book.observe(snapshot, {snapshot.at, wall});
    (void)is_urgent(book.history());
    constexpr std::size_t kTicksShown = 4;  // rendering takes longer than judging
    const bool shows = tick % kTicksShown == kTicksShown - 1 || choices.used_up();
    Report report{
        .at = snapshot.at, .wall_at = wall, .snapshot = std::move(snapshot), .runs = machine.runs()};
    book.write_to(report);
    for (const auto& incident : report.incidents) outcome.findings.insert(incident.finding.id);
    if (!shows) continue;
    judge_faces(before ? &*before : nullptr, report, judge);
    before = std::move(report);
  }
  return outcome;
}

}  // namespace tcpdiag
