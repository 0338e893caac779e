// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/findings_reference.h"

#include "core/number_text.h"
#include "diagnosis/words.h"
#include "tests/reference/markdown.h"

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

std::string link(std::string_view id) { return "[" + std::string(id) + "](#" + std::string(id) + ")"; }

/// The first cell of a row: a heading that stands once above all that belong to it.
std::string heading_of(std::string_view family, std::string_view before) {
  return "| " + (family == before ? "" : std::string(family)) + " | ";
}

std::string overview(const Json& findings) {
  std::string text = "| family | finding | severity | what |\n|---|---|---|---|\n";
  std::string_view before;
  for (const auto& finding : findings) {
    const auto family = text_of(finding, "family");
    text += heading_of(family, before) + link(text_of(finding, "id")) + " | " +
            std::string(text_of(finding, "severity")) + " | " + cell(plain(text_of(finding, "title"))) +
            " |\n";
    before = family;
  }
  return text;
}

std::string command_text(const Json& advice, const std::string& indent) {
  const auto command = text_of(advice, "command");
  if (command.empty()) return "\n";
  const std::string fence = text_of(advice, "kind") == "shell" ? "```sh\n" : "```ini\n";
  return "\n" + indent + fence + indent + as_pattern(command) + "\n" + indent + "```\n\n";
}

std::string advice_text(const Json& all) {
  std::string text = "Do:\n\n";
  std::size_t number = 0;
  for (const auto& advice : all) {
    const auto mark = std::to_string(++number) + ". ";
    const std::string indent(mark.size(), ' ');
    text += mark + pattern(text_of(advice, "action")) + "\n" + command_text(advice, indent);
    const auto effect = text_of(advice, "effect"), risk = text_of(advice, "risk");
    if (!effect.empty()) text += indent + "- Effect: " + pattern(effect) + "\n";
    if (!risk.empty()) text += indent + "- Risk: " + pattern(risk) + "\n";
  }
  return text + "\n";
}

template <class Text>
std::string list(std::string_view title, const Json& items, Text text_of_item) {
  if (items.empty()) return {};
  std::string text = std::string(title) + "\n\n";
  for (const auto& item : items) text += "- " + text_of_item(item.get<std::string>()) + "\n";
  return text + "\n";
}

/// A consequence is another finding, or a few words.
std::string consequence(std::string_view text) {
  return text.find(' ') == std::string_view::npos ? link(text) : pattern(text);
}

std::string explained(const Json& ids) {
  std::string text;
  for (const auto& id : ids) text += (text.empty() ? "" : ", ") + link(id.get<std::string>());
  return text.empty() ? "" : "Explains, about the same subject: " + text + ".\n\n";
}

std::string duration_of(const Json& seconds) {
  return duration_text(std::chrono::seconds(seconds.get<int>()));
}

std::string finding_text(const Json& finding) {
  auto text = "### " + std::string(text_of(finding, "id")) + "\n\n" + plain(text_of(finding, "title")) +
              ". *" + std::string(text_of(finding, "severity")) + "*";
  const auto& critical_after = finding.at("critical_after_seconds");
  if (!critical_after.is_null()) text += ", *critical* when it lasts " + duration_of(critical_after);
  text += ".\n\nTrue when: " + pattern(text_of(finding, "true_when")) + "\n\n";
  text += "Clients see: " + pattern(text_of(finding, "clients_see")) + "\n\n";
  text += "> " + pattern(text_of(finding, "summary")) + "\n\n";
  if (!finding.at("advice").empty()) text += advice_text(finding.at("advice"));
  text += list("Does not help:", finding.at("not_helping"), pattern);
  text += list("Also causes:", finding.at("consequences"), consequence);
  text += explained(finding.at("explains"));
  const auto reads = text_of(finding, "reads");
  return text + "Reads " + plain(reads) + (reads.ends_with('.') ? "" : ".") + " Looks back " +
         duration_of(finding.at("lookback_seconds")) + ", at " +
         (text_of(finding, "scope") == "machine" ? "the machine" : "each network namespace") + ".\n\n";
}

std::string all_findings(const Json& findings) {
  std::string text;
  std::string_view family;
  for (const auto& finding : findings) {
    if (text_of(finding, "family") != family) {
      family = text_of(finding, "family");
      text += "## " + std::string(family) + "\n\n";
    }
    text += finding_text(finding);
  }
  return text;
}

/// {backlog} stands for the number; other braces belong to the server's own language.
std::string with_number(std::string_view knob) {
  constexpr std::string_view kPlace = "{backlog}";
  std::string text(knob);
  for (auto at = text.find(kPlace); at != std::string::npos; at = text.find(kPlace))
    text.replace(at, kPlace.size(), "N");
  return text;
}

std::string servers_text(const Json& servers) {
  std::string text =
      "## Servers' own knobs\n\nWhere the accept queue's length is set in servers that are known by their "
      "process names; N is the number of connections.\n\n| server | process | its backlog | when nothing is "
      "set |\n|---|---|---|---|\n";
  for (const auto& server : servers)
    text += "| " + cell(plain(text_of(server, "name"))) + " | " + code(text_of(server, "process")) + " | " +
            cell(plain(with_number(text_of(server, "backlog")))) + " | " +
            cell(plain(text_of(server, "standard"))) + " |\n";
  return text + "\n";
}

std::string thresholds_text(const Json& thresholds) {
  std::string text =
      "## Thresholds\n\nWhere the rules draw their lines. Increases are over the finding's window.\n\n"
      "| family | threshold | value | what |\n|---|---|---|---|\n";
  std::string_view before;
  for (const auto& threshold : thresholds) {
    const auto family = text_of(threshold, "family");
    text += heading_of(family, before) + code(text_of(threshold, "name")) + " | " +
            number_text(threshold.at("value").get<double>()) + " | " +
            cell(plain(text_of(threshold, "help"))) + " |\n";
    before = family;
  }
  return text;
}

}  // namespace

std::string findings_reference(const Json& catalogue) {
  const auto& findings = catalogue.at("findings");
  return std::string(kIntroduction) + overview(findings) + "\n" + all_findings(findings) +
         servers_text(catalogue.at("servers")) + thresholds_text(catalogue.at("thresholds"));
}

}  // namespace tcpdiag
