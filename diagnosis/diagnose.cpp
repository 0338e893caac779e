// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/diagnose.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/sysctls.h"
#include "diagnosis/known_servers.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// A finding with the rule behind it.
struct Found {
  Finding finding;
  const Rule* rule;
  std::vector<std::string_view> explains;  // besides the rule's own
};

void put(Values& values, const std::string& name, const std::string& value) {
  if (!value.empty()) values.try_emplace(name, value);
}

std::string owner_of(const Subject& subject) {
  if (subject.process.empty()) return {};
  return subject.process + (subject.pid ? "[" + std::to_string(*subject.pid) + "]" : "");
}

// The address of a service may not be known.
std::string service_text(const Subject& subject) {
  if (!subject.address.empty() || !subject.port) return to_string(subject);
  return "port " + std::to_string(*subject.port);
}

// What every rule's words may refer to; what the rule itself says goes first.
Values values_of(const Facts& facts, const std::string& netns, const Window& window) {
  auto values = facts.values;
  const auto& subject = facts.subject;
  if (netns != kHostNetns) put(values, "netns", netns);
  put(values, "window", duration_text(window.span()));
  put(values, "address", subject.address);
  if (subject.port) put(values, "port", std::to_string(*subject.port));
  if (subject.kind == SubjectKind::listener) put(values, "listener", service_text(subject));
  if (subject.kind == SubjectKind::destination) put(values, "destination", service_text(subject));
  if (subject.kind == SubjectKind::setting) put(values, "setting", subject.name);
  put(values, "process", subject.process);
  if (subject.pid) put(values, "pid", std::to_string(*subject.pid));
  put(values, "unit", subject.unit);
  // What systemctl can restart without ending a user's whole session.
  if (subject.unit.ends_with(".service") && !subject.unit.starts_with("user@"))
    put(values, "service", subject.unit);
  put(values, "owner", owner_of(subject));
  if (const auto backlog = values.find("new_backlog"); backlog != values.end())
    put(values, "server_knob", server_knob(subject.process, backlog->second).value_or(""));
  return values;
}

// Whether a command sets or reads a sysctl that the machine has only once: it works in the first namespace
// alone.
bool is_about_machine(std::string_view command) {
  command.remove_prefix(std::min(command.size(), command.find_last_of(' ', command.find('=')) + 1));
  const auto* spec = find_sysctl(command.substr(0, command.find('=')));
  return spec != nullptr && spec->scope == SysctlScope::machine;
}

// Programs that show or set what belongs to the namespace they run in.
bool depends_on_netns(std::string_view command) {
  constexpr std::array<std::string_view, 6> kPrograms = {"watch", "sysctl",  "ss",
                                                         "ip",    "tcpdump", "conntrack"};
  const auto program = command.substr(0, command.find(' '));
  return std::ranges::find(kPrograms, program) != kPrograms.end() && !is_about_machine(command);
}

// A command about the namespace has to run there.
std::string in_netns(std::string command, const std::string& netns) {
  if (netns.empty() || netns == kHostNetns || !depends_on_netns(command)) return command;
  return (netns.starts_with('/') ? "nsenter --net=" + netns : "ip netns exec " + netns) + " " + command;
}

Finding to_finding(const Rule& rule, const Facts& facts, const std::string& netns, const Window& window) {
  const auto& info = rule.info;
  const auto values = values_of(facts, netns, window);
  Finding finding{.id = std::string(info.id),
                  .severity = facts.severity.value_or(info.severity),
                  .netns = netns,
                  .subject = facts.subject,
                  .summary = fill_in(info.summary, values),
                  .evidence = facts.evidence,
                  .bites = facts.bites,
                  .critical_after = rule.critical_after};
  for (const auto& text : info.advice) {
    if (!can_fill_in(text.action, values) || !can_fill_in(text.command, values)) continue;
    finding.advice.push_back({fill_in(text.action, values), in_netns(fill_in(text.command, values), netns),
                              fill_in(text.effect, values), fill_in(text.risk, values)});
  }
  for (const auto text : info.not_helping)
    if (can_fill_in(text, values)) finding.not_helping.push_back(fill_in(text, values));
  for (const auto text : info.consequences) finding.consequences.emplace_back(text);
  return finding;
}

void apply(const Rule& rule, const History& history, std::size_t netns, const Thresholds& thresholds,
           std::vector<Found>& found, Diagnosis& diagnosis) {
  const Window window(history, netns, rule.lookback);
  const auto name = rule.scope == RuleScope::machine ? std::string() : window.netns().name;
  const auto verdict = rule.evaluate(window, thresholds);
  if (!verdict.known()) {
    diagnosis.unknown.push_back({std::string(rule.info.id), name, verdict.why().detail});
    return;
  }
  if (const auto& unseen = verdict.unseen())
    diagnosis.unknown.push_back({std::string(rule.info.id), name, unseen->detail, true});
  for (const auto& facts : verdict.facts())
    found.push_back({to_finding(rule, facts, name, window), &rule, facts.explains});
}

bool explains(const Found& cause, const Found& effect) {
  const auto holds = [&](const auto& ids) { return std::ranges::find(ids, effect.finding.id) != ids.end(); };
  return (holds(cause.rule->info.explains) || holds(cause.explains)) &&
         same_subject(cause.finding, effect.finding);
}

const Found* cause_of(const Found& effect, const std::vector<Found>& found) {
  const auto cause = std::ranges::find_if(found, [&](const Found& other) { return explains(other, effect); });
  return cause == found.end() ? nullptr : &*cause;
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

// What is explained becomes a consequence of its cause, and of the cause's own cause if that is explained
// too.
void settle(std::vector<Found>& found, Diagnosis& diagnosis) {
  std::vector<Finding> kept;
  for (const auto& each : found)
    if (cause_of(each, found) == nullptr) kept.push_back(each.finding);
  for (const auto& each : found) {
    const auto* cause = cause_of(each, found);
    if (cause == nullptr) continue;
    for (std::size_t steps = 0; steps < found.size(); ++steps) {
      const auto* deeper = cause_of(*cause, found);
      if (deeper == nullptr) break;
      cause = deeper;
    }
    diagnosis.explained.push_back(
        {each.finding.id, each.finding.netns, each.finding.subject, cause->finding.id});
    for (auto& finding : kept)
      if (finding.id == cause->finding.id && finding.netns == cause->finding.netns &&
          finding.subject == cause->finding.subject) {
        add_once(finding.consequences, each.finding.id);
        finding.severity = std::max(finding.severity, each.finding.severity);  // it is as bad as what it does
      }
  }
  for (const auto& each : found)
    for (const auto id : each.rule->info.replaces)
      diagnosis.explained.push_back(
          {std::string(id), each.finding.netns, each.finding.subject, each.finding.id});
  diagnosis.findings = std::move(kept);
}

}  // namespace

bool same_subject(const Finding& cause, const Finding& effect) {
  const auto& a = cause.subject;
  const auto& b = effect.subject;
  const bool same_netns = cause.netns.empty() || effect.netns.empty() || cause.netns == effect.netns;
  if (!same_netns) return false;
  const auto is_whole = [](const Subject& s) {
    return s.kind == SubjectKind::host || s.kind == SubjectKind::netns;
  };
  // What is about everything here may be about that; a cause that is vague explains only what is as vague.
  if (a.kind == SubjectKind::host || is_whole(b)) return true;
  if (is_whole(a)) return false;
  const bool same_process = a.pid && b.pid && *a.pid == *b.pid;
  // What is counted by port may be about any of the addresses that the service listens on.
  if (a.kind == SubjectKind::listener && b.kind == SubjectKind::listener && a.port == b.port)
    return a.address == b.address || a.address.empty() || b.address.empty() || same_process;
  if (a.kind == b.kind && a.kind != SubjectKind::process) return to_string(a) == to_string(b);
  return same_process;
}

Diagnosis diagnose(const History& history, std::span<const Rule> rules, const Thresholds& thresholds) {
  Diagnosis diagnosis;
  if (history.empty()) return diagnosis;
  std::vector<Found> found;
  const auto namespaces = history.snapshots().back().namespaces.size();
  for (const auto& rule : rules)
    for (std::size_t netns = 0; netns < (rule.scope == RuleScope::machine ? 1 : namespaces); ++netns)
      apply(rule, history, netns, thresholds, found, diagnosis);
  settle(found, diagnosis);
  std::ranges::stable_sort(diagnosis.findings, std::greater(), &Finding::severity);
  return diagnosis;
}

}  // namespace tcpdiag
