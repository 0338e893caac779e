// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/findings_alerts.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>
#include <vector>

#include "core/text.h"
#include "diagnosis/catalog.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// What the texts of an alert have at hand; each has only what it needs, because there are many and a file of
// rules must fit into an object of Kubernetes. First a selector of all series of the finding, by all labels
// that its target may have; %q quotes what others chose.
constexpr std::string_view kOf =
    R"({{ $of := "" }}{{ range $k, $v := $labels }}{{ if not (eq $k "__name__" "severity") }})"
    R"({{ $of = printf "%s%s=%q," $of $k $v }}{{ end }}{{ end }})";
// Who it is about, as far as that is known. Chats take what is in angle brackets for markup.
constexpr std::string_view kWho =
    R"({{ $process := "" }}{{ $pid := "" }}{{ $port := "" }}{{ $unit := "" }}{{ range query (printf "tcpdiag_finding_info{%s}" $of) }})"
    R"({{ $process = reReplaceAll "[<>]" "?" .Labels.process }}{{ $pid = .Labels.pid }}{{ $port = .Labels.port }})"
    R"({{ $unit = reReplaceAll "[<>]" "?" .Labels.unit }}{{ end }})";
constexpr std::string_view kOwner =
    R"({{ $owner := $process }}{{ with $pid }}{{ $owner = printf "%s[%s]" $process . }}{{ end }})";
constexpr std::string_view kSubject = R"({{ $subject := reReplaceAll "[<>]" "?" $labels.subject }})";
constexpr std::string_view kWhere =
    R"({{ $labels.instance }}{{ with $subject }} {{ . }}{{ end }}{{ if and $owner (ne $owner $subject) }} {{ $owner }}{{ end }})"
    R"({{ with $unit }} ({{ . }}){{ end }}{{ with $labels.netns }}{{ if ne . "host" }} (netns {{ . }}){{ end }}{{ end }})";
// Three digits behind the point at most, and no zeros at the end.
constexpr std::string_view kNumbers =
    R"({{ range query (printf "tcpdiag_finding_evidence{%s}" $of) | sortByLabel "evidence" }})"
    R"({{ reReplaceAll "[<>]" "?" .Labels.evidence }}: {{ reReplaceAll "\\.?0+$" "" (printf "%.3f" .Value) }} {{ .Labels.what }})"
    "\n{{ else }}Prometheus does not have its numbers; the daemon's page has them.\n{{ end }}";
// Where the daemon's page is.
constexpr std::string_view kPage =
    R"({{ $at := "" }}{{ range $k, $v := $labels }}{{ if not (eq $k "__name__" "severity" "finding" "netns" "subject") }})"
    R"({{ $at = printf "%s%s=%q," $at $k $v }}{{ end }}{{ end }})"
    R"({{ $page := printf "http://%s/" $labels.instance }}{{ range query (printf "tcpdiag_web_info{%s}" $at) }})"
    R"({{ $page = or .Labels.external_url (printf "%s://%s/" .Labels.scheme $labels.instance) }}{{ end }})";

constexpr std::string_view kReturnsAlert = "TcpdiagFindingReturns";

char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

// In YAML's single quotes a quote is written twice.
std::string single_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + "'";
}

// Words for a Prometheus template, in which <owner> becomes what $owner is.
std::string literal(const std::string& words) {
  static const std::regex kPlace("<([a-z0-9_]+)>");
  const auto shown = std::regex_replace(words, std::regex(R"(\{\{)"), R"({{ "{{" }})");
  return std::regex_replace(shown, kPlace, "{{ $$$1 }}");
}

// Lines of a description, as YAML's block has them.
std::string block(std::string_view lines) {
  std::string text;
  while (!lines.empty()) text += "            " + std::string(next_line(lines)) + "\n";
  return text;
}

// What is known of a case in Prometheus.
struct Known {
  bool process, port;
};

// The names that a text may have then. Numbers, files and settings are on the page.
Values values_of(const Known& known) {
  Values values = {{"raise_backlog", ""}};
  if (known.process) values.insert({{"owner", "<owner>"}, {"process", "<process>"}, {"pid", "<pid>"}});
  if (known.port)
    values.insert({{"listener", "<subject>"}, {"destination", "<subject>"}, {"port", "<port>"}});
  return values;
}

// Of the values that a command may have, those that are numbers.
Values numbers_of(const Known& known) {
  Values values;
  if (known.process) values.insert({"pid", "<pid>"});
  if (known.port) values.insert({"port", "<port>"});
  return values;
}

// The first piece of advice for which enough is known.
std::string first_advice(const RuleInfo& info, const Known& known) {
  const auto values = values_of(known);
  const auto found = std::ranges::find_if(
      info.advice, [&](const AdviceText& advice) { return can_fill_in(advice.action, values); });
  if (found == info.advice.end()) return "First: See on the daemon's page what to do in this case.";
  auto text = "First: " + literal(fill_in(found->action, values));
  const auto numbers = numbers_of(known);
  if (!can_fill_in(found->command, numbers)) return text;
  const auto command = fill_in(found->command, numbers);
  if (command.empty() || command.find('\n') != std::string::npos) return text;
  // in another namespace it would look at the wrong one
  return text + R"({{ if eq $labels.netns "" "host" }})" + "\n  " + literal(command) + "{{ end }}";
}

std::string either(std::string_view variable, const std::string& yes, const std::string& no) {
  if (yes == no) return yes;
  return "{{ if " + std::string(variable) + " }}" + yes + "{{ else }}" + no + "{{ end }}";
}

// The same, for as much as will be known.
std::string first_advice(const RuleInfo& info) {
  const auto of_process = [&](bool process) {
    return either("$port", first_advice(info, {process, true}), first_advice(info, {process, false}));
  };
  return either("$pid", of_process(true), of_process(false));
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

std::string summary(const std::string& words) {
  std::string text;
  for (const auto part : {kOf, kWho, kOwner, kSubject, kWhere}) text += part;
  return annotation("summary", single_quoted(text + ": " + words));
}

// The numbers, `words`, and where there is more.
std::string description(const std::string& words, std::string_view id) {
  const auto needs = [&](std::string_view variable) { return words.find(variable) != std::string::npos; };
  std::string text(kOf);
  if (needs("$owner") || needs("$process") || needs("$pid") || needs("$port")) text += kWho;
  if (needs("$owner")) text += kOwner;
  if (needs("$subject")) text += kSubject;
  text += std::string(kNumbers) + words + "\nAll advice: the daemon's page, or tcpdiag explain " +
          std::string(id);
  return annotation("description", "|-") + block(text);
}

std::string links(std::string_view id) {
  return annotation("docs", "/usr/share/doc/tcpdiagd/reference/findings.md#" + std::string(id)) +
         annotation("runbook_url", single_quoted(std::string(kPage) + "{{ $page }}#" + std::string(id)));
}

std::string alert_of(const RuleInfo& info) {
  auto text = alert(alert_name(info.id),
                    "tcpdiag_finding_active{finding=\"" + std::string(info.id) + "\",severity!=\"info\"}",
                    pending(info));
  text += summary(literal(fill_in(info.title, {})));
  text += description("Clients see: " + literal(fill_in(info.clients_see, {})) + "\n" + first_advice(info),
                      info.id);
  return text + links(info.id);
}

bool has_alert(const Rule& rule) { return rule.info.severity != Severity::info; }

std::string joined(const std::set<std::string_view>& words) {
  std::string text;
  for (const auto word : words) text += (text.empty() ? "" : "|") + std::string(word);
  return text;
}

// What follows from a finding, and what follows from that.
std::set<std::string_view> all_effects(const RuleInfo& cause) {
  std::set<std::string_view> effects;
  std::vector<std::string_view> next(cause.explains.begin(), cause.explains.end());
  while (!next.empty()) {
    const auto id = next.back();
    next.pop_back();
    if (id == cause.id || !effects.insert(id).second) continue;
    for (const auto& rule : rule_catalog())
      if (rule.info.id == id) next.insert(next.end(), rule.info.explains.begin(), rule.info.explains.end());
  }
  return effects;
}

// A rule of Alertmanager's: while an alert of `source` fires, those of `target` with the same `equal` are
// silent.
std::string inhibition(std::string_view why, std::string_view source, std::string_view target,
                       std::string_view equal) {
  const std::string of_host = "job, instance";
  return (why.empty() ? "" : "  # " + std::string(why) + "\n") + "  - source_matchers: ['" +
         std::string(source) + "']\n    target_matchers: ['" + std::string(target) + "']\n    equal: [" +
         of_host + ", " + std::string(equal) + "]\n";
}

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
  text += summary("{{ $labels.finding }}");
  text += description("First: see on the daemon's page what clients see and what to do.",
                      "{{ $labels.finding }}");
  return text + links("{{ $labels.finding }}");
}

std::string finding_returns() {
  auto text = "      - alert: " + std::string(kReturnsAlert) +
              "\n        expr: tcpdiag_finding_opened_last_hour{finding!~\"" + ids(false) +
              "\"} >= 6\n"
              "        keep_firing_for: 15m\n        labels: {severity: warning}\n        annotations:\n";
  text += summary("{{ $labels.finding }} came {{ $value }} times in an hour");
  text += annotation("description", "|-");
  text += block(std::string(kPage) +
                "It comes and goes: bursts, or a limit that is just reached. Its own alert may tell of one "
                "case, or of some "
                "of them.\n"
                "First: look at its latest cases, {{ $page }}api/v1/incidents\n"
                "tcpdiag explain {{ $labels.finding }} says what it means and what to do.");
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

std::string findings_inhibitions() {
  std::string text(kFindingsInhibitionsBegin);
  text += inhibition("A finding that comes again and again is one message while it is there.",
                     "finding!=\"\",alertname!=\"" + std::string(kReturnsAlert) + "\"",
                     "alertname=\"" + std::string(kReturnsAlert) + "\"", "netns, subject, finding");
  for (const auto& rule : rule_catalog()) {
    const auto effects = all_effects(rule.info);
    if (!has_alert(rule) || effects.empty()) continue;
    const auto cause = "finding=\"" + std::string(rule.info.id) + "\"";
    const auto target = "finding=~\"" + joined(effects) + "\"";
    text += inhibition("", cause, target, "netns, subject");
    // what is about a whole namespace may be about that
    text += inhibition("", cause, target + ",subject=\"\"", "netns");
  }
  return text;
}

}  // namespace tcpdiag
