// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tcpdiag::incidents {
namespace {

std::string verdict(Outcome::Verdict verdict) {
  switch (verdict) {
    case Outcome::Verdict::passed: return "passed";
    case Outcome::Verdict::failed: return "FAILED";
    case Outcome::Verdict::not_staged: break;
  }
  return "NOT STAGED";
}

std::string verdict(const Outcome& outcome) {
  const auto text = verdict(outcome.verdict);
  return outcome.earlier.empty() ? text : fmt::format("{}, play {}", text, outcome.earlier.size() + 1);
}

std::vector<std::string> findings_of(const std::vector<Outcome>& outcomes) {
  std::set<std::string> ids;
  for (const auto& outcome : outcomes) {
    for (const auto& named : outcome.named) ids.insert(named.finding);
    ids.insert(outcome.missing.begin(), outcome.missing.end());
  }
  return {ids.begin(), ids.end()};
}

// The heading of a column: "a" to "z", "A" to "Z", then digits.
char letter(std::size_t column) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return kLetters[column % kLetters.size()];
}

char cell(const Outcome& outcome, const std::string& finding) {
  if (std::ranges::find(outcome.missing, finding) != outcome.missing.end()) return '?';
  char mark = '.';
  for (const auto& named : outcome.named) {
    if (named.finding != finding) continue;
    if (named.kind == Named::Kind::wrong) return '!';
    if (named.kind == Named::Kind::expected) mark = 'X';
    if (mark != 'X') mark = named.kind == Named::Kind::allowed ? 'a' : 'i';
  }
  return mark;
}

// The longest of a row's times.
std::string longest(const Outcome& outcome, std::optional<double> Named::* time) {
  std::optional<double> result;
  for (const auto& named : outcome.named)
    if (named.*time) result = std::max(result.value_or(0), *(named.*time));
  return result ? fmt::format("{:.1f} s", *result) : "";
}

std::string observed(const Outcome& outcome) {
  std::string text;
  for (const auto& [name, value] : outcome.observed) text += (text.empty() ? "" : ", ") + name + " " + value;
  return text;
}

}  // namespace

std::string to_matrix(const std::vector<Outcome>& outcomes) {
  const auto findings = findings_of(outcomes);
  const std::string gap = findings.size() > 40 ? "" : " ";
  std::string heading, text;
  for (std::size_t column = 0; column < findings.size(); ++column) heading += gap + letter(column);
  constexpr auto kRow = "{:<6}{:<36}{}  {:>8}{:>9}  {}\n";
  text = fmt::format(kRow, "", "", heading, "found", "closed", "");
  for (const auto& outcome : outcomes) {
    std::string cells;
    for (const auto& finding : findings) cells += gap + cell(outcome, finding);
    text += fmt::format(kRow, outcome.id, outcome.name, cells, longest(outcome, &Named::found_after),
                        longest(outcome, &Named::closed_after), verdict(outcome));
  }
  for (std::size_t column = 0; column < findings.size(); ++column)
    text += fmt::format("  {} {}\n", letter(column), findings[column]);
  return text + "  X expected and found   . not there   i info   a allowed   ? missing   ! wrong\n";
}

std::string to_text(const Outcome& outcome) {
  auto text = fmt::format("{:<6}{:<36}{:<17}{:5.1f} s  {}\n", outcome.id, outcome.name, verdict(outcome),
                          outcome.seconds, observed(outcome));
  for (const auto& earlier : outcome.earlier) text += "      " + earlier + "\n";
  for (const auto& failure : outcome.failures) text += "      " + failure + "\n";
  return text + outcome.evidence;
}

}  // namespace tcpdiag::incidents
