// SPDX-License-Identifier: Apache-2.0
#include "cli/check_text.h"

#include <algorithm>
#include <limits>
#include <span>

#include "cli/paragraph.h"
#include "core/finding_text.h"
#include "core/number_text.h"
#include "core/time_text.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kIndent = 2;  // of what stands below a headline

std::string upper(std::string_view text) {
  std::string shown(text);
  for (auto& c : shown)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return shown;
}

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::info: return Tone::heading;
    case Severity::warning: return Tone::warning;
    case Severity::critical: return Tone::critical;
  }
  return Tone::plain;
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// Builds the text of a check, part by part.
class CheckText {
 public:
  CheckText(LookedBy by, const TextStyle& style) : by_(by), style_(style) {}

  void add(const FindingsAnswer::Found& found, FindingsAnswer::WallTime now) {
    const auto& finding = found.finding;
    text_ += "\n";
    headline(finding);
    if (by_ != LookedBy::lint) since(found, now);
    body(finding.summary);
    evidence(finding.evidence);
    if (finding.bites) limit(*finding.bites);
    if (!found.last_seen) {  // what is over may not contradict what is not
      advice(finding.advice);
      list("Does not help:", finding.not_helping);
    }
    list("Also causes:", finding.consequences);
    line(toned("More:", Tone::heading, style_) + " tcpdiag explain " + one_line(finding.id));
  }

  void add(const std::vector<FindingsAnswer::CannotTell>& unknown) {
    if (!unknown.empty()) text_ += "\n";
    std::vector<Unknown> rules;
    rules.reserve(unknown.size());
    for (const auto& each : unknown) rules.push_back(each.unknown);
    for (const auto& group : by_reason(rules)) {
      const auto where = group.netns.empty() ? "" : " (in " + group.netns + ")";
      text_ += paragraph("Cannot tell: ", joined(group.ids) + where + ": " + group.why, style_.columns);
    }
  }

  void rows(const std::string& rows) { text_ += rows; }
  void closing(const std::string& sentence) {
    if (!sentence.empty()) text_ += paragraph("", sentence, style_.columns);
  }

  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  void line(const std::string& text) { text_.append(kIndent, ' ').append(text).append("\n"); }
  void body(std::string_view text) { text_ += paragraph(std::string(kIndent, ' '), text, style_.columns); }
  void heading(std::string_view text) { line(toned(text, Tone::heading, style_)); }
  void item(const std::string& mark, std::string_view text) {
    text_ += paragraph(std::string(kIndent + 2, ' ') + mark, text, style_.columns);
  }

  void since(const FindingsAnswer::Found& found, FindingsAnswer::WallTime now) {
    const auto end = found.last_seen.value_or(now);
    const auto lasted = std::chrono::round<std::chrono::seconds>(end - found.since);
    auto text = (found.last_seen ? "resolved: from " : "since ") + to_utc_text(found.since);
    if (lasted >= std::chrono::seconds(1)) text += ", for " + duration_text(lasted);
    for (const auto& part : wrapped(text, style_.columns - kIndent)) line(toned(part, Tone::faint, style_));
  }

  /// Severity and id, and behind them, or below where they do not fit, what it is about.
  void headline(const Finding& finding) {
    const auto severity = upper(to_string(finding.severity));
    const auto id = one_line(finding.id), subject = one_line(subject_text(finding));
    text_ += toned(severity, tone_of(finding.severity), style_) + " " + toned(id, Tone::heading, style_);
    const auto taken = severity.size() + 1 + columns_of(id) + 2;
    const bool fits = taken + columns_of(subject) <= style_.columns;
    text_ += fits ? "  " + subject + "\n" : "\n";
    if (!fits) body(subject);
  }

  void evidence(const std::vector<Evidence>& all) {
    if (all.empty()) return;
    heading("Proof:");
    std::size_t names = 0, values = 0, units = 0, windows = 0;
    for (const auto& each : all) {
      names = std::max(names, columns_of(one_line(each.name)));
      values = std::max(values, number_text(each.value).size());
      units = std::max(units, columns_of(one_line(unit_text(each))));
      windows = std::max(windows, window_text(each).size());
    }
    const bool fits = kIndent + 2 + names + 2 + values + 1 + units + 2 + windows <= style_.columns;
    for (const auto& each : all) {
      const auto window = window_text(each);
      const auto value = number_text(each.value);
      if (!fits) {
        item("", each.name + ": " + value + " " + unit_text(each) + " " + window);
        continue;
      }
      const auto pad = [](const std::string& text, std::size_t width) {
        return text + std::string(width - columns_of(text), ' ');
      };
      line("  " + pad(one_line(each.name), names) + "  " + std::string(values - value.size(), ' ') + value +
           " " + (units == 0 ? "" : pad(one_line(unit_text(each)), units) + "  ") + window);
    }
  }

  void limit(const Bites& bites) {
    heading("Limit:");
    item("", limit_text(bites));
  }

  void advice(const std::vector<Advice>& all) {
    if (all.empty()) return;
    heading("Do:");
    std::size_t number = 0;
    for (const auto& each : all) {
      const auto mark = std::to_string(++number) + ". ";
      const std::string beside(mark.size(), ' ');
      item(mark, each.action);
      commands(each.command, kIndent + 2 + mark.size() + 2);
      if (!each.effect.empty()) item(beside, "Effect: " + each.effect);
      if (!each.risk.empty()) item(beside, "Risk: " + each.risk);
    }
  }

  /// One line for each, whatever its length: it will be copied.
  void commands(std::string_view text, std::size_t indent) {
    while (!text.empty()) {
      const auto one = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), one.size() + 1));
      text_.append(indent, ' ').append(toned(one_line(one), Tone::good, style_)).append("\n");
    }
  }

  void list(std::string_view title, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    heading(title);
    for (const auto& text : texts) item("- ", text);
  }

  LookedBy by_;
  TextStyle style_;
  std::string text_;
};

/// "No findings", "2 critical findings", "3 findings (1 critical, 2 info)".
std::string count_text(const std::vector<FindingsAnswer::Found>& findings) {
  if (findings.empty()) return "No findings";
  std::vector<std::string> parts;
  for (const auto severity : {Severity::critical, Severity::warning, Severity::info}) {
    const auto count = std::ranges::count(
        findings, severity, [](const FindingsAnswer::Found& found) { return found.finding.severity; });
    if (count != 0) parts.push_back(std::to_string(count) + " " + std::string(to_string(severity)));
  }
  if (parts.size() == 1) return parts.front() + (findings.size() == 1 ? " finding" : " findings");
  auto text = std::to_string(findings.size()) + " findings (" + parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) text += ", " + parts[i];
  return text + ")";
}

std::string watched_text(const FindingsAnswer& answer) {
  std::string text;
  const auto append = [&](const std::optional<std::uint64_t>& count, const std::string& noun) {
    if (count) text += (text.empty() ? "" : ", ") + counted(*count, noun);
  };
  append(answer.listeners, "listener");
  append(answer.connections, "connection");
  append(answer.namespaces, "namespace");
  return text;
}

std::string closing_sentence(const FindingsAnswer& answer, LookedBy by) {
  auto text = count_text(answer.findings);
  if (by == LookedBy::lint)
    return text + " about the settings of " + counted(answer.namespaces.value_or(1), "namespace") + ".";
  const auto watched = watched_text(answer);
  if (by == LookedBy::daemon) text += " at " + to_utc_text(answer.generated_at);
  if (by == LookedBy::this_program && answer.watched_for) text += " in " + duration_text(*answer.watched_for);
  if (!watched.empty()) text += " over " + watched;
  text += ".";
  constexpr std::chrono::seconds kShort{30};
  if (by == LookedBy::this_program && answer.watched_for && *answer.watched_for < kShort)
    text += " Leaks may take longer to show: --duration=60s, or ask a daemon (--url).";
  return text;
}

std::string names_text(const NetnsLeftOut& left_out) {
  std::string text;
  for (const auto& name : left_out.names) text += (text.empty() ? " (" : ", ") + one_line(name);
  if (text.empty()) return text;
  return text + (left_out.names.size() < left_out.count ? ", …)" : ")");
}

/// What was not looked into, and why. Empty: nothing.
std::string left_out_sentence(const FindingsAnswer& answer) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  for (const auto& left_out : answer.left_out) {
    const auto namespaces = counted(left_out.count, "namespace");
    const auto names = names_text(left_out);
    switch (left_out.why) {
      case NetnsState::excluded: add(namespaces + " excluded by the configuration" + names); break;
      case NetnsState::denied: add(namespaces + " that may not be entered" + names); break;
      case NetnsState::too_many: add(namespaces + " beyond those that can be watched" + names); break;
      case NetnsState::soon: add(namespaces + " too new to say something" + names); break;
      case NetnsState::watched: break;
    }
  }
  if (answer.unasked_processes != 0)
    add("the namespaces of " + std::to_string(answer.unasked_processes) +
        (answer.unasked_processes == 1 ? " process" : " processes") +
        " that may not be asked, which takes root or CAP_SYS_PTRACE");
  return text.empty() ? "" : "Not looked into: " + text + ".";
}

/// What stands in front of the cause in a row: who and where, in columns that align.
std::vector<std::string> names_in_columns(std::span<const FindingsAnswer::Found> findings) {
  constexpr std::size_t kWho = 24, kWhere = 32;
  std::size_t width = 0;
  std::vector<std::string> names, places;
  for (const auto& found : findings) {
    names.push_back(cut_to(one_line(who_text(found.finding)), kWho));
    places.push_back(cut_middle_to(one_line(where_text(found.finding)), kWhere));
    width = std::max(width, columns_of(names.back()));
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    names[i] += std::string(width - columns_of(names[i]) + 2, ' ') + places[i];
  return names;
}

/// Findings in lines; on a terminal what is too long goes on below the last column.
std::string brief_rows(const FindingsAnswer& answer, const TextStyle& style) {
  constexpr std::size_t kSeverity = std::string_view("CRITICAL  ").size();
  const auto findings = std::span(answer.findings).first(std::min(answer.findings.size(), kBriefRows));
  const auto names = names_in_columns(findings);
  std::size_t width = 0;
  for (const auto& name : names) width = std::max(width, columns_of(name));
  const auto columns = style.terminal ? style.columns : std::numeric_limits<std::size_t>::max();
  const bool narrow = kSeverity + width + 2 > columns / 2;
  std::string text;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const auto& found = findings[i];
    auto severity = upper(to_string(found.finding.severity));
    text += toned(severity, found.last_seen ? Tone::faint : tone_of(found.finding.severity), style);
    severity.resize(kSeverity, ' ');
    const auto gap = severity.substr(to_string(found.finding.severity).size());
    if (narrow) {
      text += gap + cut_middle_to(names[i], columns - kSeverity) + "\n" +
              paragraph(std::string(kSeverity, ' '),
                        cause_and_action(found.finding, found.last_seen.has_value()), columns);
      continue;
    }
    const auto before = names[i] + std::string(width - columns_of(names[i]) + 2, ' ');
    text += gap + paragraph(std::string(kSeverity, ' ') + before,
                            cause_and_action(found.finding, found.last_seen.has_value()), columns)
                      .substr(kSeverity);
  }
  if (findings.size() < answer.findings.size())
    text += "and " + counted(answer.findings.size() - findings.size(), "further finding") + "\n";
  return text;
}

}  // namespace

std::string to_brief_text(const FindingsAnswer& answer, LookedBy by, const TextStyle& style) {
  CheckText text(by, style);
  text.rows(brief_rows(answer, style));
  text.closing(closing_sentence(answer, by));
  if (by != LookedBy::lint) text.closing(left_out_sentence(answer));
  text.add(answer.unknown);
  return std::move(text).text();
}

std::string to_text(const FindingsAnswer& answer, LookedBy by, const TextStyle& style) {
  CheckText text(by, style);
  text.rows(brief_rows(answer, style));
  text.closing(closing_sentence(answer, by));
  if (by != LookedBy::lint) text.closing(left_out_sentence(answer));
  for (const auto& found : answer.findings) text.add(found, answer.generated_at);
  text.add(answer.unknown);
  return std::move(text).text();
}

}  // namespace tcpdiag
