// SPDX-License-Identifier: Apache-2.0
#include "exporters/landing_page.h"

#include <cstdio>
#include <string_view>

#include "core/version.h"
#include "exporters/json.h"
#include "exporters/label_text.h"
#include "exporters/web_files.h"

namespace tcpdiag {
namespace {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : to_label_text(text)) switch (c) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      case '\'': html += "&#39;"; break;
      default: html += c;
    }
  return html;
}

/// "0.12 ms", "2.5 s"
std::string duration_text(std::chrono::duration<double> duration) {
  const auto seconds = duration.count();
  char text[32];
  std::snprintf(text, sizeof text, seconds < 1 ? "%.3g ms" : "%.3g s",
                seconds < 1 ? seconds * 1000 : seconds);
  return text;
}

std::string age_text(std::chrono::nanoseconds age) {
  return age < std::chrono::milliseconds(1) ? "now" : duration_text(age) + " ago";
}

std::string state_cell(const CollectorRun& run) {
  if (run.outcome) return "<td class=\"good\">works</td>";
  if (!run.has_run()) return "<td class=\"wait\">has not run yet</td>";
  return "<td class=\"bad\">" + escaped(to_string(run.outcome.error().code)) + "</td>";
}

std::string row(const CollectorRun& run, TimePoint now) {
  const auto age = run.succeeded_at ? age_text(now - *run.succeeded_at) : std::string("never");
  const auto took = run.has_run() ? duration_text(run.duration) : std::string();
  return "<tr><td>" + escaped(run.collector) + "</td><td>" + escaped(run.netns) + "</td>" + state_cell(run) +
         "<td class=\"detail\">" + (run.outcome ? "" : escaped(run.outcome.error().detail)) +
         "</td><td class=\"number\">" + age + "</td><td class=\"number\">" + took +
         "</td><td class=\"number\">" + duration_text(run.period) + "</td></tr>\n";
}

std::string collector_table(const Report& report) {
  std::string table =
      "<div class=\"table\"><table>\n<thead><tr><th>collector</th><th>namespace</th><th>state</th>"
      "<th>what is wrong</th><th class=\"number\">last success</th><th class=\"number\">took</th><th "
      "class=\"number\">every</th>"
      "</tr></thead>\n<tbody>\n";
  for (const auto& run : report.runs) table += row(run, report.at);
  return table + "</tbody>\n</table></div>";
}

void replace(std::string& page, std::string_view mark, std::string_view text) {
  const auto at = page.find(mark);
  if (at != std::string::npos) page.replace(at, mark.size(), text);
}

}  // namespace

std::string landing_page(const Report* report) {
  std::string page(web::kPageHtml);
  replace(page, "{{version}}", escaped(version()));
  replace(page, "{{time}}", report == nullptr ? "" : "Report of " + to_rfc3339(report->wall_at));
  replace(
      page, "{{collectors}}",
      report == nullptr ? "<p>No report yet: the daemon has just started.</p>" : collector_table(*report));
  return page;
}

std::string landing_style() { return std::string(web::kStyleCss); }

}  // namespace tcpdiag
