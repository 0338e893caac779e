// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/findings_reference.h"

#include <string_view>

#include "diagnosis/catalog.h"
#include "diagnosis/known_servers.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kIntroduction =
    R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made from the rules in diagnosis/rules: TCPDIAG_WRITE_REFERENCE=1 unit_tests. Do not edit. -->
# Findings

What the diagnosis can say, from the same table that it speaks from; `tcpdiag explain ID` shows one of them. Four rules hold
for all:

- A finding rests on increases within its window and on present values, never on totals since boot.
- It is about a listener, a destination, a process, a setting, a network namespace or the machine, and names what is known
  of it. What is not known is left out of its sentence.
- A rule that lacks a source it needs says that it cannot tell (`tcpdiag_finding_unknown`); it does not say that all is well.
- Of two findings about one subject the cause is shown, the other is listed as what follows from it.

Severities: *info* is worth knowing, a *warning* means that connections suffer or soon will, *critical* that they fail now. In
the texts below `<name>` stands for a value.

)";

/// Text outside of code: what Markdown would take for a tag is none.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '<' || c == '*') result += '\\';
    result += c;
  }
  return result;
}

/// The same for a pattern with {names}.
std::string pattern(std::string_view text) { return plain(as_pattern(text)); }

/// Table cells end at a bar.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : plain(text)) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }
std::string link(std::string_view id) { return "[" + std::string(id) + "](#" + std::string(id) + ")"; }

std::string overview() {
  std::string text = "| family | finding | severity | what |\n|---|---|---|---|\n";
  std::string_view family;
  for (const auto& rule : rule_catalog()) {
    const auto& info = rule.info;
    text += "| " + (info.family == family ? "" : std::string(info.family)) + " | " + link(info.id) + " | " +
            std::string(to_string(info.severity)) + " | " + cell(info.title) + " |\n";
    family = info.family;
  }
  return text;
}

std::string advice_text(std::span<const AdviceText> advice) {
  std::string text = "Do:\n\n";
  std::size_t number = 0;
  for (const auto& each : advice) {
    const auto mark = std::to_string(++number) + ". ";
    const std::string indent(mark.size(), ' ');
    text += mark + pattern(each.action) + "\n";
    if (!each.command.empty())
      text += "\n" + indent + (each.kind == CommandKind::shell ? "```sh\n" : "```ini\n") + indent +
              as_pattern(each.command) + "\n" + indent + "```\n\n";
    else
      text += "\n";
    if (!each.effect.empty()) text += indent + "- Effect: " + pattern(each.effect) + "\n";
    if (!each.risk.empty()) text += indent + "- Risk: " + pattern(each.risk) + "\n";
  }
  return text + "\n";
}

template <class Text>
std::string list(std::string_view title, std::span<const std::string_view> items, Text text_of) {
  if (items.empty()) return {};
  std::string text = std::string(title) + "\n\n";
  for (const auto item : items) text += "- " + text_of(item) + "\n";
  return text + "\n";
}

/// A consequence is another finding, or a few words.
std::string consequence(std::string_view text) {
  return find_rule(text) == nullptr ? pattern(text) : link(text);
}

std::string explained(std::span<const std::string_view> ids) {
  std::string text;
  for (const auto id : ids) text += (text.empty() ? "" : ", ") + link(id);
  return text.empty() ? "" : "Is the cause, on the same subject, of: " + text + ".\n\n";
}

std::string finding_text(const Rule& rule) {
  const auto& info = rule.info;
  auto text = "### " + std::string(info.id) + "\n\n" + plain(info.title) + ". *" +
              std::string(to_string(info.severity)) + "*";
  if (rule.critical_after) text += ", *critical* when it lasts " + duration_text(*rule.critical_after);
  text += ".\n\nTrue when: " + pattern(info.true_when) + "\n\n";
  text += "Clients see: " + pattern(info.clients_see) + "\n\n";
  text += "> " + pattern(info.summary) + "\n\n";
  if (!info.advice.empty()) text += advice_text(info.advice);
  text += list("Does not help:", info.not_helping, pattern);
  text += list("Follows from it:", info.consequences, consequence);
  text += explained(info.explains);
  return text + "Reads " + plain(info.reads) + (info.reads.ends_with('.') ? "" : ".") + " Looks back " +
         duration_text(rule.lookback) + ", at " +
         (rule.scope == RuleScope::machine ? "the machine" : "each network namespace") + ".\n\n";
}

/// {backlog} stands for the number; other braces belong to the server's own language.
std::string with_number(std::string_view knob) {
  constexpr std::string_view kPlace = "{backlog}";
  std::string text(knob);
  for (auto at = text.find(kPlace); at != std::string::npos; at = text.find(kPlace))
    text.replace(at, kPlace.size(), "N");
  return text;
}

std::string servers() {
  std::string text =
      "## Servers' own knobs\n\nWhere the accept queue's length is set in servers that are known by their "
      "process names; N is the number of connections.\n\n| server | process | its backlog | when nothing is "
      "set |\n|---|---|---|---|\n";
  for (const auto& server : known_servers())
    text += "| " + cell(server.name) + " | " + code(server.process) + " | " +
            cell(with_number(server.backlog)) + " | " + cell(server.standard) + " |\n";
  return text + "\n";
}

std::string default_of(const ThresholdSpec& spec) {
  return std::visit([](auto member) { return number_text(static_cast<double>(Thresholds{}.*member)); },
                    spec.member);
}

std::string thresholds() {
  std::string text =
      "## Thresholds\n\nWhere the rules draw their lines. Increases are over the finding's window.\n\n"
      "| family | threshold | value | what |\n|---|---|---|---|\n";
  std::string_view family;
  for (const auto& spec : threshold_table()) {
    text += "| " + (spec.family == family ? "" : std::string(spec.family)) + " | " + code(spec.name) + " | " +
            default_of(spec) + " | " + cell(spec.help) + " |\n";
    family = spec.family;
  }
  return text;
}

}  // namespace

std::string findings_reference() {
  auto text = std::string(kIntroduction) + overview() + "\n";
  std::string_view family;
  for (const auto& rule : rule_catalog()) {
    if (rule.info.family != family) text += "## " + std::string(rule.info.family) + "\n\n";
    family = rule.info.family;
    text += finding_text(rule);
  }
  return text + servers() + thresholds();
}

}  // namespace tcpdiag
