// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/findings_alerts.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>
#include <vector>

#include "core/text.h"
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
std::string first_advice(const Json& finding, const Known& known) {
  const auto values = values_of(known);
  const auto& all = finding.at("advice");
  const auto found = std::ranges::find_if(
      all, [&](const Json& advice) { return can_fill_in(text_of(advice, "action"), values); });
  if (found == all.end()) return "First: See on the daemon's page what to do in this case.";
  auto text = "First: " + literal(fill_in(text_of(*found, "action"), values));
  const auto numbers = numbers_of(known);
  if (!can_fill_in(text_of(*found, "command"), numbers)) return text;
  const auto command = fill_in(text_of(*found, "command"), numbers);
  if (command.empty() || command.find('\n') != std::string::npos) return text;
  // in another namespace it would look at the wrong one
  return text + R"({{ if eq $labels.netns "" "host" }})" + "\n  " + literal(command) + "{{ end }}";
}

std::string either(std::string_view variable, const std::string& yes, const std::string& no) {
  if (yes == no) return yes;
  return "{{ if " + std::string(variable) + " }}" + yes + "{{ else }}" + no + "{{ end }}";
}

// The same, for as much as will be known.
std::string first_advice(const Json& finding) {
  const auto of_process = [&](bool process) {
    return either("$port", first_advice(finding, {process, true}), first_advice(finding, {process, false}));
  };
  return either("$pid", of_process(true), of_process(false));
}

// The daemon has waited already: a finding opens when its rule has been true for its time. Many live for 40 s
// only, which an alert that waited as well would miss. A setting does not come and go; while it is being
// changed nobody wants a message.
std::string_view pending(const Json& finding) {
  return text_of(finding, "family") == "Settings" ? "15m" : "";
}

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

std::string alert_of(const Json& finding) {
  const auto id = text_of(finding, "id");
  auto text =
      alert(alert_name(id), "tcpdiag_finding_active{finding=\"" + std::string(id) + "\",severity!=\"info\"}",
            pending(finding));
  text += summary(literal(fill_in(text_of(finding, "title"), {})));
  const auto seen = literal(fill_in(text_of(finding, "clients_see"), {}));
  return text + description("Clients see: " + seen + "\n" + first_advice(finding), id) + links(id);
}

bool has_alert(const Json& finding) { return text_of(finding, "severity") != "info"; }

std::string joined(const std::set<std::string_view>& words) {
  std::string text;
  for (const auto word : words) text += (text.empty() ? "" : "|") + std::string(word);
  return text;
}

void add_explained(const Json& finding, std::vector<std::string_view>& ids) {
  for (const auto& id : finding.at("explains")) ids.push_back(id.get_ref<const std::string&>());
}

// What follows from a finding, and what follows from that.
std::set<std::string_view> all_effects(const Json& cause, const Json& findings) {
  std::set<std::string_view> effects;
  std::vector<std::string_view> next;
  add_explained(cause, next);
  while (!next.empty()) {
    const auto id = next.back();
    next.pop_back();
    if (id == text_of(cause, "id") || !effects.insert(id).second) continue;
    for (const auto& finding : findings)
      if (text_of(finding, "id") == id) add_explained(finding, next);
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
std::string ids(const Json& findings, bool alerted) {
  std::string text;
  for (const auto& finding : findings)
    if (has_alert(finding) == alerted)
      text += (text.empty() ? "" : "|") + std::string(text_of(finding, "id"));
  return text;
}

// A daemon may be newer than this file; and of a finding that is usually worth knowing, a case may be worse.
std::string other_finding(const Json& findings) {
  auto text =
      alert("TcpdiagOtherFinding",
            "tcpdiag_finding_active{finding!~\"" + ids(findings, true) + "\",severity!=\"info\"}", "");
  text += summary("{{ $labels.finding }}");
  text += description("First: see on the daemon's page what clients see and what to do.",
                      "{{ $labels.finding }}");
  return text + links("{{ $labels.finding }}");
}

std::string finding_returns(const Json& findings) {
  auto text = "      - alert: " + std::string(kReturnsAlert) +
              "\n        expr: tcpdiag_finding_opened_last_hour{finding!~\"" + ids(findings, false) +
              "\"} >= 6\n"
              "        keep_firing_for: 15m\n        labels: {severity: warning}\n        annotations:\n";
  text += summary("{{ $labels.finding }} came {{ $value }} times in an hour");
  text += annotation("description", "|-");
  text += block(std::string(kPage) +
                "It comes and goes: bursts, or a limit that is just reached. Its own alert may tell of one "
                "case, or of some of them.\n"
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

std::string findings_alerts(const Json& catalogue) {
  const auto& findings = catalogue.at("findings");
  std::string text(kFindingsAlertsBegin);
  text +=
      "  - name: tcpdiag-findings  # the severity is the finding's own; so are finding, netns and subject\n"
      "    rules:\n";
  for (const auto& finding : findings)
    if (has_alert(finding)) text += alert_of(finding) + "\n";
  return text + other_finding(findings) + "\n" + finding_returns(findings);
}

std::string findings_inhibitions(const Json& catalogue) {
  const auto& findings = catalogue.at("findings");
  std::string text(kFindingsInhibitionsBegin);
  text += inhibition("A finding that comes again and again is one message while it is there.",
                     "finding!=\"\",alertname!=\"" + std::string(kReturnsAlert) + "\"",
                     "alertname=\"" + std::string(kReturnsAlert) + "\"", "netns, subject, finding");
  for (const auto& finding : findings) {
    const auto effects = all_effects(finding, findings);
    if (!has_alert(finding) || effects.empty()) continue;
    const auto cause = "finding=\"" + std::string(text_of(finding, "id")) + "\"";
    const auto target = "finding=~\"" + joined(effects) + "\"";
    text += inhibition("", cause, target, "netns, subject");
    // what is about a whole namespace may be about that
    text += inhibition("", cause, target + ",subject=\"\"", "netns");
  }
  return text;
}

}  // namespace tcpdiag
