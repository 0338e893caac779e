// SPDX-License-Identifier: Apache-2.0
#include "exporters/findings_html.h"

#include <algorithm>
#include <map>

#include "core/finding_order.h"
#include "core/finding_text.h"
#include "core/number_text.h"
#include "core/time_text.h"
#include "exporters/html_text.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kFindingsShown = 100;
constexpr std::size_t kRowsShown = 20;
constexpr std::size_t kClosedShown = 20;

std::string element(const std::string& name, const std::string& html) {
  return html.empty() ? "" : "<" + name + ">" + html + "</" + name.substr(0, name.find(' ')) + ">\n";
}

std::string time_html(Moment moment) {
  return "<time datetime=\"" + to_rfc3339(moment.wall) + "\">" + to_utc_text(moment.wall) + "</time>";
}

std::string lasting(TimePoint begin, TimePoint end) {
  return duration_text(std::chrono::round<std::chrono::seconds>(end - begin));
}

std::string badge(Severity severity) {
  const std::string word(to_string(severity));
  return "<span class=\"badge " + word + "\">" + word + "</span>";
}

std::string evidence_html(const std::vector<Evidence>& evidence) {
  std::string rows;
  for (const auto& each : evidence)
    rows += "<tr><td>" + html_text(each.name) + "</td><td class=\"number\">" + number_text(each.value) +
            "</td><td>" + html_text(unit_text(each)) + "</td><td>" + window_text(each) + "</td></tr>\n";
  return element("table class=\"evidence\"", element("tbody", rows));
}

/// To be copied: lines stay lines.
std::string command_html(std::string_view command) {
  std::string lines;
  while (!command.empty()) {
    const auto line = command.substr(0, command.find('\n'));
    command.remove_prefix(std::min(command.size(), line.size() + 1));
    lines += (lines.empty() ? "" : "\n") + html_text(line);
  }
  return element("pre", lines);
}

std::string advice_html(const std::vector<Advice>& advice) {
  std::string items;
  for (const auto& each : advice) {
    auto item = "<p>" + html_text(each.action) + "</p>\n" + command_html(each.command);
    if (!each.effect.empty()) item += "<p class=\"soft\">Effect: " + html_text(each.effect) + "</p>\n";
    if (!each.risk.empty()) item += "<p class=\"soft\">Risk: " + html_text(each.risk) + "</p>\n";
    items += element("li", item);
  }
  return element("ol", items);
}

std::string list_html(const std::string& title, const std::vector<std::string>& texts) {
  std::string items;
  for (const auto& text : texts) items += element("li", html_text(text));
  return items.empty() ? "" : element("h4", title) + element("ul", items);
}

std::string since_html(const Incident& incident, TimePoint now) {
  if (is_past(incident, now))
    return "resolved: from " + time_html(incident.opened) + ", for " +
           lasting(incident.opened.at, incident.seen.at);
  auto since = "for " + lasting(incident.opened.at, now) + ", since " + time_html(incident.opened);
  if (incident.blind) since += "; currently unknown whether it still holds";
  return since;
}

/// What is over has no advice: it may not contradict what is not.
std::string finding_html(const Incident& incident, const std::string& place, TimePoint now) {
  const auto& finding = incident.finding;
  const bool past = is_past(incident, now);
  const auto advice =
      (past ? "" : advice_html(finding.advice) + list_html("Does not help", finding.not_helping)) +
      list_html("Also causes", finding.consequences);
  return "<article class=\"" + std::string(to_string(finding.severity)) + (past ? " past" : "") + "\" id=\"" +
         html_text(place) + "\">\n" +
         element("h3", badge(finding.severity) + " <strong>" + html_text(finding.id) + "</strong> <span>" +
                           html_text(subject_text(finding)) + "</span>") +
         element("p class=\"summary\"", html_text(finding.summary)) +
         element("p class=\"soft\"", since_html(incident, now)) + evidence_html(finding.evidence) +
         (finding.bites ? element("p", "<b>Limit:</b> " + html_text(limit_text(*finding.bites))) : "") +
         element("details", advice.empty() ? ""
                                           : std::string("<summary>") + (past ? "More" : "What to do") +
                                                 "</summary>\n" + advice) +
         "</article>\n";
}

std::string brief_row(const Incident& incident, const std::string& place, TimePoint now) {
  const auto& finding = incident.finding;
  const bool past = is_past(incident, now);
  return "<tr" + std::string(past ? " class=\"past\"" : "") + "><td>" + badge(finding.severity) +
         "</td><td>" + html_text(who_text(finding)) + "</td><td>" + html_text(where_text(finding)) +
         "</td><td class=\"detail\"><a href=\"#" + html_text(place) + "\">" +
         html_text(cause_and_action(finding, past)) + "</a></td></tr>\n";
}

/// Where each stands on the page: the first of a kind where alerts link to.
std::vector<std::string> places_of(const std::vector<const Incident*>& incidents) {
  std::map<std::string, std::size_t> counts;
  std::vector<std::string> places;
  for (const auto* incident : incidents) {
    const auto& id = incident->finding.id;
    const auto number = ++counts[id];
    places.push_back(number == 1 ? id : id + "-" + std::to_string(number));
  }
  return places;
}

std::string closed_row(const Incident& incident) {
  const auto& finding = incident.finding;
  const auto by = incident.closed_by.empty() ? "" : " Explained by " + html_text(incident.closed_by) + ".";
  return "<tr><td class=\"time\">" + time_html(*incident.closed) + "</td><td class=\"number\">" +
         lasting(incident.opened.at, incident.closed->at) + "</td><td>" + badge(finding.severity) +
         "</td><td>" + html_text(finding.id) + "</td><td>" + html_text(subject_text(finding)) +
         "</td><td class=\"detail\">" + html_text(finding.summary) + by + "</td></tr>\n";
}

}  // namespace

std::string findings_html(const Report& report) {
  std::string html;
  const auto open = open_incidents(report);
  const auto shown = in_reading_order(worst_of(open, kFindingsShown), report.at);
  const auto places = places_of(shown);
  std::string rows;
  for (std::size_t i = 0; i < std::min(shown.size(), kRowsShown); ++i)
    rows += brief_row(*shown[i], places[i], report.at);
  if (!rows.empty())
    html += "<div class=\"table brief\"><table>\n" + element("tbody", rows) + "</table></div>\n";
  for (std::size_t i = 0; i < shown.size(); ++i) html += finding_html(*shown[i], places[i], report.at);
  const auto left_out = open.size() - std::min(open.size(), kFindingsShown) + report.findings_cut;
  if (left_out != 0)
    html += element("p", "And " + std::to_string(left_out) +
                             " more, in <a href=\"api/v1/findings\">/api/v1/findings</a>.");
  if (!html.empty()) return html;
  if (!report.judged_since) return element("p class=\"calm\"", "Nothing has been checked yet.");
  const bool blind =
      std::ranges::any_of(report.rules, [](const RuleState& rule) { return !rule.unknown.empty(); });
  if (blind) return element("p class=\"calm wait\"", "No problems found in what could be read.");
  return element("p class=\"calm good\"", "No problems found.");
}

std::string unknown_html(const Report& report) {
  std::vector<Unknown> unknown;
  for (const auto& rule : report.rules)
    unknown.insert(unknown.end(), rule.unknown.begin(), rule.unknown.end());
  std::string items;
  for (const auto& group : by_reason(unknown)) {
    const auto where = group.netns.empty() ? "" : " in namespace " + html_text(group.netns);
    items += element(
        "li", "<strong>" + html_text(group.why) + "</strong>" + where + ": " + html_text(joined(group.ids)));
  }
  return element("ul class=\"unknown\"", items);
}

std::string closed_html(const Report& report) {
  std::string rows;
  std::size_t shown = 0;
  for (const auto& incident : report.incidents)
    if (incident.closed && shown++ < kClosedShown) rows += closed_row(incident);
  if (rows.empty()) return "";
  return "<div class=\"table\"><table>\n<thead><tr><th>resolved at</th><th "
         "class=\"number\">lasted</th><th>severity</th><th>finding</th><th>about</th><th>what it "
         "was</th></tr></thead>\n" +
         element("tbody", rows) + "</table></div>";
}

}  // namespace tcpdiag
