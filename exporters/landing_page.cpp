// SPDX-License-Identifier: Apache-2.0
#include "exporters/landing_page.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "core/facts/netns_list.h"
#include "core/time_text.h"
#include "core/version.h"
#include "exporters/findings_html.h"
#include "exporters/html_text.h"
#include "exporters/netns_html.h"
#include "exporters/web_files.h"

namespace tcpdiag {
namespace {

/// "0.12 ms", "2.5 s"
std::string short_time(std::chrono::duration<double> duration) {
  const auto seconds = duration.count();
  char text[32];
  std::snprintf(text, sizeof text, seconds < 1 ? "%.3g ms" : "%.3g s",
                seconds < 1 ? seconds * 1000 : seconds);
  return text;
}

std::string age_text(std::chrono::nanoseconds age) {
  return age < std::chrono::milliseconds(1) ? "now" : short_time(age) + " ago";
}

std::string state_cell(const CollectorRun& run) {
  if (run.outcome) return "<td class=\"good\">works</td>";
  if (!run.has_run()) return "<td class=\"wait\">has not run yet</td>";
  return "<td class=\"bad\">" + html_text(to_string(run.outcome.error().code)) + "</td>";
}

std::string row(const CollectorRun& run, TimePoint now) {
  const auto age = run.succeeded_at ? age_text(now - *run.succeeded_at) : std::string("never");
  const auto took = run.has_run() ? short_time(run.duration) : std::string();
  return "<tr><td>" + html_text(run.collector) + "</td><td>" + html_text(run.netns) + "</td>" +
         state_cell(run) + "<td class=\"detail\">" +
         (run.outcome ? "" : html_text(run.outcome.error().detail)) + "</td><td class=\"number\">" + age +
         "</td><td class=\"number\">" + took + "</td><td class=\"number\">" + short_time(run.period) +
         "</td></tr>\n";
}

/// Of other namespaces only those that do not work: they may be hundreds. `whole`: all of them.
std::string collector_table(const Report& report, bool whole) {
  std::string table =
      "<div class=\"table\"><table>\n<thead><tr><th>collector</th><th>namespace</th><th>state</th><th>what "
      "is wrong</th><th class=\"number\">last success</th><th class=\"number\">took</th><th "
      "class=\"number\">every</th></tr></thead>\n<tbody>\n";
  std::size_t left_out = 0;
  for (const auto& run : report.runs) {
    const bool is_elsewhere = !run.netns.empty() && run.netns != kHostNetns;
    if (!whole && is_elsewhere && run.outcome)
      ++left_out;
    else
      table += row(run, report.at);
  }
  table += "</tbody>\n</table></div>";
  if (left_out != 0)
    table += "\n<p class=\"soft\">And " + std::to_string(left_out) + " of other namespaces, which work.</p>";
  return table;
}

void replace(std::string& page, std::string_view mark, std::string_view text) {
  const auto at = page.find(mark);
  if (at != std::string::npos) page.replace(at, mark.size(), text);
}

/// A part of the page under its heading; none when there is nothing to say.
std::string section(const std::string& title, const std::string& html) {
  return html.empty() ? "" : "<section>\n<h2>" + title + "</h2>\n" + html + "\n</section>";
}

std::string sections(const Report& report) {
  return section("Findings", findings_html(report)) + section("Network namespaces", netns_html(report)) +
         section("Cannot tell", unknown_html(report)) + section("Recently resolved", closed_html(report)) +
         section("Collectors", collector_table(report, false));
}

/// What of the report is about one namespace. An empty name, the machine's, goes with the daemon's own.
Report only_of(const Report& report, std::string_view netns) {
  const auto is_other = [&](const std::string& its) {
    return its.empty() ? netns != kHostNetns : its != netns;
  };
  Report part{.at = report.at, .wall_at = report.wall_at, .judged_since = report.judged_since};
  for (const auto& run : report.runs)
    if (!is_other(run.netns)) part.runs.push_back(run);
  for (const auto& incident : report.incidents)
    if (!is_other(incident.finding.netns)) part.incidents.push_back(incident);
  part.rules = report.rules;
  for (auto& rule : part.rules)
    std::erase_if(rule.unknown, [&](const Unknown& unknown) { return is_other(unknown.netns); });
  return part;
}

std::string page_with(const std::string& time, const std::string& sections) {
  std::string page(web::kPageHtml);
  replace(page, "{{version}}", html_text(version()));
  replace(page, "{{time}}", time);
  replace(page, "{{sections}}", sections);
  return page;
}

std::string as_of(const Report& report) { return ", as of " + to_utc_text(report.wall_at); }

}  // namespace

std::string landing_page(const Report* report) {
  if (report == nullptr)
    return page_with("", "<p class=\"calm\">No report yet: the daemon has just started.</p>");
  return page_with(as_of(*report), sections(*report));
}

bool has_netns(const Report& report, std::string_view netns) {
  if (std::ranges::find(report.snapshot.namespaces, netns, &NetnsView::name) !=
      report.snapshot.namespaces.end())
    return true;
  const auto* list = report.snapshot.netns_list.get();
  return list != nullptr &&
         std::ranges::find(list->namespaces, netns, &FoundNetns::name) != list->namespaces.end();
}

std::string netns_page(const Report& report, const std::string& netns) {
  const auto part = only_of(report, netns);
  const bool is_watched = std::ranges::find(report.snapshot.namespaces, netns, &NetnsView::name) !=
                          report.snapshot.namespaces.end();
  return page_with(
      as_of(report),
      "<p class=\"only\">Only network namespace <strong>" + html_text(netns) +
          "</strong>. <a href=\"./\">Show all</a></p>\n" +
          section("What it is", netns_row_html(report, netns)) +
          section("Findings", is_watched
                                  ? findings_html(part)
                                  : "<p class=\"calm wait\">Nothing is known: it is not looked into.</p>") +
          section("Cannot tell", unknown_html(part)) + section("Recently resolved", closed_html(part)) +
          section("Collectors", collector_table(part, true)));
}

std::string landing_style() { return std::string(web::kStyleCss); }

}  // namespace tcpdiag
