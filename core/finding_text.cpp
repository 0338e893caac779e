// SPDX-License-Identifier: Apache-2.0
#include "core/finding_text.h"

#include <algorithm>

#include "core/number_text.h"
#include "core/snapshot.h"

namespace tcpdiag {
namespace {

bool is_elsewhere(const std::string& netns) { return !netns.empty() && netns != kHostNetns; }

}  // namespace

std::string subject_text(const Finding& finding) {
  const auto& subject = finding.subject;
  const bool of_netns = subject.kind == SubjectKind::netns && !finding.netns.empty();
  auto text = to_string(subject);
  if (text.empty()) text = of_netns ? "network namespace " + finding.netns : "the whole machine";
  const auto append = [&](const std::string& part) { text += part.empty() ? "" : " " + part; };
  if (subject.kind != SubjectKind::process) append(process_text(subject));
  append(to_string(subject.owner));
  if (is_elsewhere(finding.netns) && !of_netns) append("in namespace " + finding.netns);
  return text;
}

std::string who_text(const Finding& finding) {
  const auto& subject = finding.subject;
  if (auto process = process_text(subject); !process.empty()) return process;
  const auto owner = to_string(subject.owner);
  return owner.empty() ? "-" : owner;
}

std::string where_text(const Finding& finding) {
  const auto place = finding.subject.kind == SubjectKind::process ? "" : to_string(finding.subject);
  if (!is_elsewhere(finding.netns)) return place.empty() ? "-" : place;
  return place.empty() ? finding.netns : place + " in " + finding.netns;
}

std::string cause_and_action(const Finding& finding, bool is_past) {
  auto text = finding.title.empty() ? finding.id : finding.title;
  if (is_past) return text + " (resolved)";
  return finding.advice.empty() ? text : text + ": " + finding.advice.front().action;
}

std::string window_text(const Evidence& evidence) {
  return evidence.window ? "in " + duration_text(*evidence.window) : "now";
}

std::string unit_text(const Evidence& evidence) {
  constexpr std::string_view kMany = "ies";
  auto text = evidence.unit;
  if (evidence.value != 1 || !text.ends_with('s')) return text;
  if (!text.ends_with(kMany)) return text.substr(0, text.size() - 1);
  return text.substr(0, text.size() - kMany.size()) + "y";
}

std::string limit_text(const Bites& bites) {
  auto text = bites.limit + " = " + number_text(bites.value);
  if (bites.ceiling.empty()) return text;
  text += ", at most " + bites.ceiling;
  if (bites.ceiling_value) text += " = " + number_text(*bites.ceiling_value);
  return text;
}

std::vector<UnknownGroup> by_reason(std::span<const Unknown> unknown) {
  std::vector<UnknownGroup> groups;
  for (const auto& each : unknown) {
    const auto netns = is_elsewhere(each.netns) ? each.netns : std::string();
    auto group = std::ranges::find_if(
        groups, [&](const UnknownGroup& other) { return other.why == each.why && other.netns == netns; });
    if (group == groups.end())
      group = groups.insert(groups.end(), {.netns = netns, .ids = {}, .why = each.why});
    if (std::ranges::find(group->ids, each.id) == group->ids.end()) group->ids.push_back(each.id);
  }
  return groups;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace tcpdiag
