// SPDX-License-Identifier: Apache-2.0
#include "exporters/landing_page.h"

#include <cstdio>
#include <string_view>

#include "core/time_text.h"
#include "core/version.h"
#include "exporters/findings_html.h"
#include "exporters/html_text.h"
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

std::string collector_table(const Report& report) {
  std::string table =
      "<div class=\"table\"><table>\n<thead><tr><th>collector</th><th>namespace</th><th>state</th><th>what "
      "is wrong</th><th class=\"number\">last success</th><th class=\"number\">took</th><th "
      "class=\"number\">every</th></tr></thead>\n<tbody>\n";
  for (const auto& run : report.runs) table += row(run, report.at);
  return table + "</tbody>\n</table></div>";
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
  return section("Findings", findings_html(report)) + section("Cannot tell", unknown_html(report)) +
         section("Recently resolved", closed_html(report)) + section("Collectors", collector_table(report));
}

}  // namespace

std::string landing_page(const Report* report) {
  std::string page(web::kPageHtml);
  replace(page, "{{version}}", html_text(version()));
  replace(page, "{{time}}", report == nullptr ? "" : ", as of " + to_utc_text(report->wall_at));
  replace(page, "{{sections}}",
          report == nullptr ? "<p class=\"calm\">No report yet: the daemon has just started.</p>"
                            : sections(*report));
  return page;
}

std::string landing_style() { return std::string(web::kStyleCss); }

}  // namespace tcpdiag
