// SPDX-License-Identifier: Apache-2.0
#include "exporters/prometheus.h"

#include "core/utf8.h"
#include "exporters/metric_catalog.h"
#include "tests/catch.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

TEST_CASE("the page of a full report is the one that was looked at") {
  auto page = to_prometheus_text(sample_report());
  const auto at = page.find("tcpdiag_build_info{");
  REQUIRE(at != std::string::npos);
  page.replace(at, page.find('\n', at) - at, "tcpdiag_build_info{version=\"VERSION\"} 1");
  check_committed("tests/unit/exporters/metrics.golden.txt", page);
}

TEST_CASE("a page is one line for each sample, whatever names hold") {
  const auto page = to_prometheus_text(hostile_report());
  CHECK_THAT(page, ContainsSubstring(
                       R"(process="a\"b\\c\\nd}\\xff\\xc0\\xaf<script>alert('x')</script>\\x1b[31m")"));
  CHECK_THAT(page, ContainsSubstring("unit=\"caf\xc3\xa9\""));
  std::string without_newlines = page;
  std::erase(without_newlines, '\n');
  CHECK(is_one_line(without_newlines));
}

TEST_CASE("a page that is cut says so") {
  const auto page = to_prometheus_text(sample_report(), {.listeners = 1});
  CHECK_THAT(page, ContainsSubstring("\ntcpdiag_samples_cut{metric=\"tcpdiag_listener_drops_total\"} 1\n"));
}
