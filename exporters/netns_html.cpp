// SPDX-License-Identifier: Apache-2.0
#include "exporters/netns_html.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <vector>

#include "exporters/html_text.h"
#include "exporters/netns_overview.h"

namespace tcpdiag {
namespace {

// What stands open; the rest is folded, and beyond kMost in the API alone.
constexpr std::size_t kOpen = 20, kMost = 300;

constexpr std::string_view kHead =
    "<div class=\"table\"><table>\n<thead><tr><th>namespace</th><th>kind</th><th "
    "class=\"number\">pid</th><th class=\"number\">processes</th><th class=\"number\">listeners</th><th "
    "class=\"number\">connections</th><th>worst finding</th></tr></thead>\n<tbody>\n";
constexpr std::string_view kFoot = "</tbody>\n</table></div>\n";

/// Every byte but letters and digits as %XX, so that no name means something in a link.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain)
      encoded += c;
    else
      encoded.append({'%', kDigits[byte / 16], kDigits[byte % 16]});
  }
  return encoded;
}

std::string number_cell(const Count& count) {
  return "<td class=\"number\">" + (count ? std::to_string(*count) : "?") + "</td>";
}

std::string worst_html(const NetnsSummary& netns) {
  switch (netns.state) {
    case NetnsState::excluded: return "<td>excluded</td>";
    case NetnsState::too_many: return "<td class=\"wait\">not watched: too many</td>";
    case NetnsState::soon: return "<td>too new</td>";
    case NetnsState::denied:
      if (!netns.worst) return "<td class=\"wait\">may not be entered</td>";
      break;
    case NetnsState::watched: break;
  }
  if (netns.worst) {
    const std::string word(to_string(netns.worst->severity));
    const auto more = netns.findings > 1
                          ? " <span class=\"soft\">and " + std::to_string(netns.findings - 1) + " more</span>"
                          : "";
    return "<td><span class=\"badge " + word + "\">" + word + "</span> " + html_text(netns.worst->id) + more +
           "</td>";
  }
  return netns.cannot_tell ? "<td class=\"wait\">cannot tell</td>" : "<td class=\"good\">none</td>";
}

std::string row_html(const NetnsSummary& netns, bool as_link) {
  auto name = html_text(netns.name);
  if (as_link) name = "<a href=\"?netns=" + percent_encoded(netns.name) + "\">" + name + "</a>";
  if (!netns.image.empty()) name += " <span class=\"soft\">" + html_text(netns.image) + "</span>";
  return "<tr><td class=\"detail\">" + name + "</td><td>" + std::string(to_string(netns.kind)) +
         "</td><td class=\"number\">" + (netns.pid == 0 ? "-" : std::to_string(netns.pid)) +
         "</td><td class=\"number\">" + std::to_string(netns.processes) + "</td>" +
         number_cell(netns.listeners) + number_cell(netns.connections) + worst_html(netns) + "</tr>\n";
}

std::string table_of(const std::vector<NetnsSummary>& all, std::size_t begin, std::size_t end) {
  std::string table(kHead);
  for (auto i = begin; i < end; ++i) table += row_html(all[i], true);
  return table.append(kFoot);
}

/// What is worse comes first.
auto order_of(const NetnsSummary& netns) {
  return std::tuple(netns.worst ? -static_cast<int>(netns.worst->severity) : 1, !netns.cannot_tell);
}

}  // namespace

std::string netns_html(const Report& report) {
  auto overview = netns_overview(report);
  if (!overview || overview->namespaces.size() < 2) return {};
  auto& all = overview->namespaces;
  std::ranges::stable_sort(all, {}, order_of);
  const auto open = std::min(all.size(), kOpen), shown = std::min(all.size(), kMost);
  auto html = table_of(all, 0, open);
  if (shown > open)
    html += "<details><summary>" + std::to_string(shown - open) + " more</summary>\n" +
            table_of(all, open, shown) + "</details>\n";
  if (const auto rest = all.size() - shown + overview->cut; rest != 0)
    html += "<p>And " + std::to_string(rest) +
            " more, in <a href=\"api/v1/namespaces\">/api/v1/namespaces</a>.</p>\n";
  if (overview->unreadable != 0)
    html += "<p class=\"soft\">Namespaces of " + std::to_string(overview->unreadable) +
            (overview->unreadable == 1 ? " process" : " processes") +
            " are not known: that takes CAP_SYS_PTRACE.</p>\n";
  return html;
}

std::string netns_row_html(const Report& report, const std::string& netns) {
  const auto overview = netns_overview(report);
  if (!overview) return {};
  const auto found = std::ranges::find(overview->namespaces, netns, &NetnsSummary::name);
  if (found == overview->namespaces.end()) return {};
  return std::string(kHead) + row_html(*found, false) + std::string(kFoot);
}

}  // namespace tcpdiag
