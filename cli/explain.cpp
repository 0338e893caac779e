// SPDX-License-Identifier: Apache-2.0
#include "cli/explain.h"

#include <algorithm>
#include <utility>

#include "cli/paragraph.h"
#include "diagnosis/catalog.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kIndent = 2;

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::info: return Tone::heading;
    case Severity::warning: return Tone::warning;
    case Severity::critical: return Tone::critical;
  }
  return Tone::plain;
}

/// Builds an explanation, part by part. {names} become <names>.
class Explanation {
 public:
  explicit Explanation(const TextStyle& style) : style_(style) {}

  void headline(const Rule& rule) {
    const auto& info = rule.info;
    text_ += toned(info.id, Tone::heading, style_) + "  " +
             toned(to_string(info.severity), tone_of(info.severity), style_);
    if (rule.critical_after) text_ += ", critical when it lasts " + duration_text(*rule.critical_after);
    text_ += "\n" + paragraph(std::string(kIndent, ' '), std::string(info.title) + ".", style_.columns);
  }

  void part(std::string_view title, std::string_view text) {
    heading(title);
    item("", as_pattern(text));
  }

  void advice(std::span<const AdviceText> all) {
    if (all.empty()) return;
    heading("Do:");
    std::size_t number = 0;
    for (const auto& each : all) {
      const auto mark = std::to_string(++number) + ". ";
      const std::string beside(mark.size(), ' ');
      item(mark, as_pattern(each.action));
      if (!each.command.empty())
        text_.append(kIndent + 2 + mark.size() + 2, ' ')
            .append(toned(as_pattern(each.command), Tone::good, style_))
            .append("\n");
      if (!each.effect.empty()) item(beside, "Effect: " + as_pattern(each.effect));
      if (!each.risk.empty()) item(beside, "Risk: " + as_pattern(each.risk));
    }
  }

  void list(std::string_view title, std::span<const std::string_view> texts) {
    if (texts.empty()) return;
    heading(title);
    for (const auto text : texts) item("- ", as_pattern(text));
  }

  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  void heading(std::string_view text) {
    text_.append(kIndent, ' ').append(toned(text, Tone::heading, style_)).append("\n");
  }
  void item(const std::string& mark, std::string_view text) {
    text_ += paragraph(std::string(kIndent + 2, ' ') + mark, text, style_.columns);
  }

  TextStyle style_;
  std::string text_;
};

}  // namespace

std::string findings_list(const TextStyle& style) {
  std::size_t ids = 0;
  for (const auto& rule : rule_catalog()) ids = std::max(ids, rule.info.id.size());
  constexpr std::size_t kSeverity = 10;  // columns for the longest and a gap
  const auto before_title = ids + 2 + kSeverity;
  std::string text;
  std::string_view family;
  for (const auto& rule : rule_catalog()) {
    const auto& info = rule.info;
    if (info.family != family)
      text += (text.empty() ? "" : "\n") + toned(info.family, Tone::heading, style) + "\n";
    family = info.family;
    const auto severity = to_string(info.severity);
    text += std::string(info.id) + std::string(ids + 2 - info.id.size(), ' ') +
            toned(severity, tone_of(info.severity), style) + std::string(kSeverity - severity.size(), ' ');
    bool first = true;
    for (const auto& line : wrapped(info.title, style.columns - std::min(style.columns - 1, before_title)))
      text += (std::exchange(first, false) ? "" : std::string(before_title, ' ')) + line + "\n";
  }
  return text + "\ntcpdiag explain FINDING says more about each.\n";
}

std::string explanation(const Rule& rule, const TextStyle& style) {
  const auto& info = rule.info;
  Explanation text(style);
  text.headline(rule);
  text.part("True when:", condition_of(info));
  text.part("Clients see:", info.clients_see);
  text.part("Message:", info.summary);
  text.advice(info.advice);
  text.list("Does not help:", info.not_helping);
  text.list("Also causes:", info.consequences);
  text.list("Explains, about the same subject:", info.explains);
  text.part("Reads:", std::string(info.reads) + "; looks back " + duration_text(rule.lookback) + ".");
  return std::move(text).text();
}

}  // namespace tcpdiag
