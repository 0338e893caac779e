// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/findings_alerts.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <regex>

#include "diagnosis/catalog.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// What Prometheus puts in: which host, and what the finding is about.
constexpr std::string_view kWhere =
    "{{ $labels.instance }}{{ with $labels.subject }} {{ . }}{{ end }}{{ with $labels.netns }} (netns {{ . "
    "}}){{ end }}";
constexpr std::string_view kPage = "http://{{ $labels.instance }}/";
constexpr std::string_view kNumbers =
    "The numbers, and all advice: tcpdiag check --url http://{{ $labels.instance }}, or the daemon's page.";

char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

// In YAML's single quotes a quote is written twice.
std::string single_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + "'";
}

// Words for a Prometheus template. <owner> becomes OWNER: chats and mail take what is in angle brackets for
// markup.
std::string literal(const std::string& words) {
  static const std::regex kPlace("<([a-z0-9_]+)>");
  std::string result;
  auto from = words.begin();
  for (std::sregex_iterator place(words.begin(), words.end(), kPlace), none; place != none; ++place) {
    result.append(from, (*place)[0].first);
    std::transform((*place)[1].first, (*place)[1].second, std::back_inserter(result), upper);
    from = (*place)[0].second;
  }
  result.append(from, words.end());
  return std::regex_replace(result, std::regex(R"(\{\{)"), R"({{ "{{" }})");
}

// A line of a description.
std::string line(std::string_view text) { return "            " + std::string(text) + "\n"; }

// The names that a text may have without a case at hand: they say who or what. Numbers, files and settings
// would read like data.
Values usual_values() {
  Values values;
  for (const std::string name : {"owner", "destination", "listener", "unit"})
    values.emplace(name, "<" + name + ">");
  values.emplace("raise_backlog", "");
  return values;
}

// Whether a command can be given without the numbers of the case.
bool is_general(std::string_view command) {
  static const Values kSubject = {{"address", ""}, {"port", ""}, {"pid", ""}};
  return !command.empty() && can_fill_in(command, kSubject);
}

// The first piece of advice that is good without the values of the case.
std::string first_advice(const RuleInfo& info) {
  const auto found = std::ranges::find_if(
      info.advice, [](const AdviceText& advice) { return can_fill_in(advice.action, usual_values()); });
  if (found == info.advice.end()) return line("First: See on the daemon's page what to do in this case.");
  auto text = line("First: " + literal(fill_in(found->action, usual_values())));
  if (is_general(found->command)) text += line("  " + literal(as_pattern(found->command)));
  return text;
}

// The daemon has waited already: a finding opens when its rule has been true for its time. Many live for 40 s
// only, which an alert that waited as well would miss. A setting does not come and go; while it is being
// changed nobody wants a message.
std::string_view pending(const RuleInfo& info) { return info.family == "Settings" ? "15m" : ""; }

std::string alert(std::string_view name, std::string_view expression, std::string_view pending) {
  auto text = "      - alert: " + std::string(name) + "\n        expr: " + std::string(expression) + "\n";
  if (!pending.empty()) text += "        for: " + std::string(pending) + "\n";
  return text + "        keep_firing_for: 5m\n        annotations:\n";
}

std::string annotation(std::string_view name, std::string_view text) {
  return "          " + std::string(name) + ": " + std::string(text) + "\n";
}

std::string links(std::string_view id) {
  return annotation("docs", "docs/reference/findings.md#" + std::string(id)) +
         annotation("runbook_url", kPage);
}

std::string alert_of(const RuleInfo& info) {
  auto text = alert(alert_name(info.id),
                    "tcpdiag_finding_active{finding=\"" + std::string(info.id) + "\",severity!=\"info\"}",
                    pending(info));
  text += annotation("summary", single_quoted(std::string(kWhere) + ": " + literal(as_pattern(info.title))));
  text += annotation("description", "|-");
  text += line("True when: " + literal(as_pattern(info.true_when)));
  text += line("Clients see: " + literal(as_pattern(info.clients_see)));
  text += first_advice(info);
  text += line(kNumbers);
  return text + links(info.id);
}

bool has_alert(const Rule& rule) { return rule.info.severity != Severity::info; }

// The ids of those with an alert, or of those without, as a regular expression.
std::string ids(bool alerted) {
  std::string text;
  for (const auto& rule : rule_catalog())
    if (has_alert(rule) == alerted) text += (text.empty() ? "" : "|") + std::string(rule.info.id);
  return text;
}

// A daemon may be newer than this file; and of a finding that is usually worth knowing, a case may be worse.
std::string other_finding() {
  auto text = alert("TcpdiagOtherFinding",
                    "tcpdiag_finding_active{finding!~\"" + ids(true) + "\",severity!=\"info\"}", "");
  text += annotation("summary", single_quoted(std::string(kWhere) + ": {{ $labels.finding }}"));
  text += annotation("description", "|-");
  text +=
      line("tcpdiag explain {{ $labels.finding }} says when it is true, what clients see and what to do.");
  text += line(kNumbers);
  return text + links("{{ $labels.finding }}");
}

// Instant values: over thousands of hosts, a range of an hour is dear. Of a daemon that has started anew all
// have come since: the daemon's own clock says so, whatever Prometheus' clock says.
std::string finding_returns() {
  auto text =
      "      - alert: TcpdiagFindingReturns\n        expr: |\n"
      "          tcpdiag_findings_opened_total{finding!~\"" +
      ids(false) +
      "\"} - (\n"
      "            tcpdiag_findings_opened_total offset 1h <= tcpdiag_findings_opened_total\n"
      "              or 0 * tcpdiag_findings_opened_total\n"
      "                and ignoring (finding) tcpdiag_report_timestamp_seconds - process_start_time_seconds "
      "< 3600\n"
      "          ) >= 6\n"
      "        keep_firing_for: 15m\n        labels: {severity: warning}\n        annotations:\n";
  text += annotation(
      "summary",
      single_quoted("{{ $labels.instance }}: {{ $labels.finding }} came {{ $value }} times in an hour"));
  text += annotation("description", "|-");
  text += line(
      "It comes and goes: bursts, or a limit that is just reached. Its own alert "
      "may tell of one case, or of some of them.");
  text += line("First: look at its latest cases, http://{{ $labels.instance }}/api/v1/incidents");
  text += line("tcpdiag explain {{ $labels.finding }} says what it means and what to do.");
  return text + links("{{ $labels.finding }}");
}

}  // namespace

std::string alert_name(std::string_view finding) {
  std::string name = "Tcpdiag";
  bool begins = true;
  for (const char c : finding) {
    if (c != '-') name += begins ? upper(c) : c;
    begins = c == '-';
  }
  return name;
}

std::string findings_alerts() {
  std::string text(kFindingsAlertsBegin);
  text +=
      "  - name: tcpdiag-findings  # the severity is the finding's own; so are finding, netns and subject\n"
      "    rules:\n";
  for (const auto& rule : rule_catalog())
    if (has_alert(rule)) text += alert_of(rule.info) + "\n";
  return text + other_finding() + "\n" + finding_returns();
}

}  // namespace tcpdiag
