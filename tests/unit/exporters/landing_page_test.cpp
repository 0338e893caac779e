// SPDX-License-Identifier: Apache-2.0
#include "exporters/landing_page.h"

#include <algorithm>
#include <vector>

#include "core/facts/netns_list.h"
#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

std::string page_of(const Report& report) { return landing_page(&report); }

/// Names of the elements in the order in which they open; a closing one with its slash.
std::vector<std::string> elements_of(const std::string& page) {
  std::vector<std::string> names;
  for (auto at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1))
    names.push_back(page.substr(at + 1, page.find_first_of(" >\n", at) - at - 1));
  return names;
}

}  // namespace

TEST_CASE("findings come first, with what proves them and what to do") {
  const auto page = page_of(sample_report());
  const auto place = [&](const std::string& text) {
    CAPTURE(text);
    const auto at = page.find(text);
    REQUIRE(at != std::string::npos);
    return at;
  };
  const std::vector<std::size_t> order = {
      place("<td>nginx[800]</td><td>0.0.0.0:80</td><td class=\"detail\"><a "
            "href=\"#accept-queue-app-stalled\">The application does not accept: See what nginx[800] waits "
            "for.</a></td></tr>"),
      place("<td>-</td><td>[2001:db8::9]:5432 in blue</td>"),
      place("<article class=\"critical\" id=\"accept-queue-app-stalled\">"),
      place("<strong>accept-queue-app-stalled</strong> <span>0.0.0.0:80 nginx[800] nginx.service</span>"),
      place("129 connections wait in the accept queue"),
      place("for 43 s, since <time datetime=\"2026-01-02T03:03:22.678Z\">2026-01-02 03:03:22 UTC</time>"),
      place("<td>ListenOverflows</td><td class=\"number\">392</td><td>events</td><td>in 30 s</td>"),
      place("listen backlog = 128, at most net.core.somaxconn = 4096"),
      place("<summary>What to do</summary>"),
      place("<pre>cat /proc/800/stack</pre>"),
      place("Risk: Connections that it serves are cut."),
      place("A larger backlog: whoever does not accept fills any queue."),
      place("<article class=\"warning\" id=\"ephemeral-ports-low\">"),
      place("[2001:db8::9]:5432 in namespace blue"),
      place("currently unknown whether it still holds"),
      place("<article class=\"info\" id=\"sysctl-somaxconn-low\">"),
      place("<h2>Network namespaces</h2>"),
      place("<h2>Cannot tell</h2>"),
      place("<strong>/dev/kmsg: Operation not permitted</strong>: neighbour-table-overflow, conntrack-full"),
      place("<h2>Recently resolved</h2>"),
      place("Explained by accept-queue-app-stalled."),
      place("<h2>Collectors</h2>"),
      place("href=\"api/v1/findings\"")};
  CHECK(std::ranges::is_sorted(order));
}

TEST_CASE("namespaces have a table, those in trouble first, in which each leads to its own page") {
  const auto page = page_of(sample_report());
  const auto host = page.find("<a href=\"?netns=host\">host</a>");
  const auto blue = page.find("<a href=\"?netns=blue\">blue</a> <span class=\"soft\">nginx:1.27</span>");
  const auto pod = page.find("<a href=\"?netns=payments%2Fcheckout%2D7d9f\">payments/checkout-7d9f</a>");
  CHECK(host < blue);
  CHECK(blue < pod);
  REQUIRE(pod != std::string::npos);
  CHECK(page.find("<td class=\"wait\">may not be entered</td>", pod) != std::string::npos);
  CHECK_THAT(page, ContainsSubstring("</span> accept-queue-app-stalled"));
}

TEST_CASE("a machine with one namespace has no table of them") {
  auto report = sample_report();
  auto list = *report.snapshot.netns_list.get();
  list.namespaces.resize(1);
  report.snapshot.netns_list.value = std::make_shared<const NetnsList>(std::move(list));
  CHECK(page_of(report).find("<h2>Network namespaces</h2>") == std::string::npos);
  report.snapshot.netns_list = {};
  CHECK(page_of(report).find("<h2>Network namespaces</h2>") == std::string::npos);
}

TEST_CASE("many namespaces are folded, and very many are in the API alone") {
  auto report = sample_report();
  auto list = *report.snapshot.netns_list.get();
  for (std::uint64_t i = 10; i < 510; ++i)
    list.namespaces.push_back({.generation = i, .name = "c" + std::to_string(i)});
  report.snapshot.netns_list.value = std::make_shared<const NetnsList>(std::move(list));
  const auto page = page_of(report);
  CHECK_THAT(page, ContainsSubstring("<summary>280 more</summary>"));
  CHECK_THAT(page, ContainsSubstring("And 203 more, in <a href=\"api/v1/namespaces\">"));
}

TEST_CASE("the page of one namespace has nothing of the others") {
  const auto report = sample_report();
  REQUIRE(has_netns(report, "blue"));
  REQUIRE(has_netns(report, "payments/checkout-7d9f"));
  CHECK_FALSE(has_netns(report, "shop"));
  const auto blue = netns_page(report, "blue");
  CHECK_THAT(blue,
             ContainsSubstring("Only network namespace <strong>blue</strong>. <a href=\"./\">Show all"));
  CHECK_THAT(blue, ContainsSubstring("id=\"ephemeral-ports-low\""));
  CHECK(blue.find("accept-queue-app-stalled\">") == std::string::npos);
  CHECK(blue.find("<td>host</td>") == std::string::npos);
  const auto host = netns_page(report, "host");
  CHECK_THAT(host, ContainsSubstring("id=\"accept-queue-app-stalled\""));
  CHECK_THAT(host, ContainsSubstring("id=\"sysctl-somaxconn-low\""));  // of the machine
  CHECK(host.find("id=\"ephemeral-ports-low\"") == std::string::npos);
}

TEST_CASE("the page of a namespace that is not looked into does not say that it has no problems") {
  const auto page = netns_page(sample_report(), "payments/checkout-7d9f");
  CHECK_THAT(page, ContainsSubstring("Nothing is known: it is not looked into."));
  CHECK_THAT(page, !ContainsSubstring("No problems found"));
}

TEST_CASE("the collectors of other namespaces are shown where they fail") {
  auto report = sample_report();
  const auto failed = unexpected(Errc::denied, "network namespace blue: no");
  report.runs = {{.collector = "netstat", .netns = "host", .outcome = {}},
                 {.collector = "netstat", .netns = "blue", .outcome = {}},
                 {.collector = "listeners", .netns = "blue", .outcome = failed}};
  const auto page = page_of(report);
  CHECK_THAT(page, ContainsSubstring("<tr><td>listeners</td><td>blue</td>"));
  CHECK(page.find("<tr><td>netstat</td><td>blue</td>") == std::string::npos);
  CHECK_THAT(page, ContainsSubstring("And 1 of other namespaces, which work."));
  CHECK_THAT(netns_page(report, "blue"), ContainsSubstring("<tr><td>netstat</td><td>blue</td>"));
}

TEST_CASE("what is over comes last and without advice") {
  auto report = sample_report();
  report.incidents[0].seen.at = report.at - std::chrono::seconds(5);
  const auto page = page_of(report);
  const auto over = page.find("<article class=\"critical past\" id=\"accept-queue-app-stalled\">");
  REQUIRE(over != std::string::npos);
  CHECK(page.find("<article class=\"info\"") < over);
  CHECK_THAT(page, ContainsSubstring(">The application does not accept (resolved)</a>"));
  CHECK_THAT(page, ContainsSubstring("resolved: from <time"));
  CHECK(page.find("cat /proc/800/stack") == std::string::npos);
  CHECK(page.find("A larger backlog") == std::string::npos);
  CHECK_THAT(page, ContainsSubstring("Also causes"));
}

TEST_CASE("several findings of one kind have places of their own, and the table has the first twenty") {
  auto report = sample_report();
  report.incidents.assign(30, report.incidents[0]);
  const auto page = page_of(report);
  for (const auto* id :
       {"accept-queue-app-stalled", "accept-queue-app-stalled-2", "accept-queue-app-stalled-30"}) {
    CAPTURE(id);
    CHECK_THAT(page, ContainsSubstring(" id=\"" + std::string(id) + "\">"));
  }
  CHECK_THAT(page, ContainsSubstring("href=\"#accept-queue-app-stalled-20\""));
  CHECK(page.find("href=\"#accept-queue-app-stalled-21\"") == std::string::npos);
}

TEST_CASE("a page without findings says so, and whether that can be told") {
  auto report = sample_report();
  report.incidents.clear();
  CHECK_THAT(page_of(report), ContainsSubstring("No problems found in what could be read."));
  for (auto& rule : report.rules) rule.unknown.clear();
  const auto page = page_of(report);
  CHECK_THAT(page, ContainsSubstring("<p class=\"calm good\">No problems found.</p>"));
  CHECK(page.find("Cannot tell") == std::string::npos);
  CHECK(page.find("Recently resolved") == std::string::npos);
  CHECK_THAT(page_of(Report{}), ContainsSubstring("Nothing has been checked yet."));
  CHECK_THAT(landing_page(nullptr), ContainsSubstring("No report yet"));
}

TEST_CASE("names of any bytes bring no element into the page") {
  auto report = hostile_report();
  report.incidents.push_back(report.incidents[0]);
  report.incidents.back().closed = report.incidents.back().seen;
  report.incidents.back().closed_by = "<i>";
  const auto page = page_of(report);
  for (const auto* hostile : {"<script", "<i>", "\x1b", "\xff", "&amp;lt;"})
    CHECK(page.find(hostile) == std::string::npos);
  CHECK_THAT(page, ContainsSubstring("&lt;script&gt;"));
  const auto names = elements_of(page);
  for (const auto* name : {"article", "section", "details", "ol", "ul", "li", "p", "pre", "table", "tbody",
                           "tr", "td", "h2", "h3", "h4", "span", "strong"}) {
    CAPTURE(name);
    CHECK(std::ranges::count(names, name) == std::ranges::count(names, "/" + std::string(name)));
  }
}

TEST_CASE("the page shows only so many findings, and says where the others are") {
  auto report = sample_report();
  report.incidents.assign(250, report.incidents[0]);
  const auto page = page_of(report);
  const auto names = elements_of(page);
  CHECK(std::ranges::count(names, "article") == 100);
  CHECK_THAT(page, ContainsSubstring("And 150 more, in <a href=\"api/v1/findings\">"));
  for (auto& incident : report.incidents) incident.closed = incident.seen;
  const auto rows = elements_of(page_of(report));
  CHECK(std::ranges::count(rows, "time") == 20);
}
