// SPDX-License-Identifier: Apache-2.0
#include "exporters/prometheus.h"

#include <prometheus/text_serializer.h>

#include <cmath>

#include "exporters/label_text.h"
#include "exporters/metric_catalog.h"
#include "tests/catch.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

/// Builds prometheus-cpp's model, so that its serializer can be asked what the text should be.
class Families : public Samples {
 public:
  explicit Families(const Report& report) : Samples(Limits{}) { collect_samples(report, *this); }

  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  prometheus::ClientMetric& next(const MetricSpec& spec, bool first, LabelValues labels) {
    if (first) {
      families_.push_back({std::string(spec.name), help_text(spec), prometheus::MetricType::Gauge, {}});
      if (spec.type == MetricType::counter) families_.back().type = prometheus::MetricType::Counter;
      if (spec.type == MetricType::histogram) families_.back().type = prometheus::MetricType::Histogram;
    }
    auto& metric = families_.back().metric.emplace_back();
    for (std::size_t i = 0; i < labels.size(); ++i)
      metric.label.push_back({std::string(spec.labels[i]), std::string(labels[i])});
    return metric;
  }
  void write(const MetricSpec& spec, bool first, LabelValues labels, double value) override {
    auto& metric = next(spec, first, labels);
    metric.gauge.value = metric.counter.value = value;
  }
  void write(const MetricSpec& spec, bool first, LabelValues labels, const FillHistogram& fill) override {
    auto& histogram = next(spec, first, labels).histogram;
    for (std::size_t i = 0; i < fill.samples.size(); ++i) {
      histogram.sample_count += fill.samples[i];
      histogram.bucket.push_back({histogram.sample_count, FillHistogram::kUpperBounds[i]});
    }
    histogram.sample_sum = fill.sum;
  }

  std::vector<prometheus::MetricFamily> families_;
};

Report report_with_cpu_seconds(double value) {
  Report report;
  report.snapshot.self.value = std::make_shared<const SelfUsage>(SelfUsage{.cpu_seconds = value});
  return report;
}

}  // namespace

TEST_CASE("the page is byte for byte what prometheus-cpp would write") {
  for (const auto& report : {sample_report(), report_of_errors(), hostile_report(), large_report(), Report{}})
    CHECK(to_prometheus_text(report) == Families(report).text());
}

TEST_CASE("numbers of every size are written as prometheus-cpp would write them") {
  for (const double value : {0.0, -0.0, 1.0, -1.0, 0.1, 1e-7, 1.0 / 3, 123456.789, 1e14, 999999999999999.0,
                             1e15, 9007199254740992.0, 9223372036854775807.0, 18446744073709551615.0, 1e300,
                             5e-324, double(INFINITY), -double(INFINITY), std::nan("")}) {
    const auto report = report_with_cpu_seconds(value);
    CHECK(to_prometheus_text(report) == Families(report).text());
  }
}

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
                       R"(process="a\"b\\c\\x0ad}\\xff\\xc0\\xaf<script>alert('x')</script>\\x1b[31m")"));
  CHECK_THAT(page, ContainsSubstring("unit=\"caf\xc3\xa9\""));
  std::string without_newlines = page;
  std::erase(without_newlines, '\n');
  CHECK(is_label_text(without_newlines));
}

TEST_CASE("a page that is cut says so") {
  const auto page = to_prometheus_text(sample_report(), {.listeners = 1});
  CHECK_THAT(page, ContainsSubstring("\ntcpdiag_samples_cut{metric=\"tcpdiag_listener_drops_total\"} 1\n"));
}
