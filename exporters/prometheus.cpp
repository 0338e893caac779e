// SPDX-License-Identifier: Apache-2.0
#include "exporters/prometheus.h"

#include <prometheus/text_serializer.h>

#include <sstream>

#include "exporters/metric_catalog.h"

namespace tcpdiag {
namespace {

prometheus::MetricType type_of(const MetricSpec& spec) {
  switch (spec.type) {
    case MetricType::counter: return prometheus::MetricType::Counter;
    case MetricType::gauge: return prometheus::MetricType::Gauge;
    case MetricType::histogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

// The samples as prometheus-cpp's model, which is several times as large as their text: one family at a time.
class Families : public Samples {
 public:
  Families(const Limits& limits, const TextSink& sink) : Samples(limits), sink_(sink) {}

  /// Writes the family that has come last.
  void flush() {
    if (families_.empty()) return;
    std::ostringstream stream;
    prometheus::TextSerializer().Serialize(stream, families_);
    sink_(std::move(stream).str());
    families_.clear();
  }

 private:
  void write(const MetricSpec& spec, bool first, LabelValues labels, double value) override {
    auto& metric = next(spec, first, labels);
    if (spec.type == MetricType::counter)
      metric.counter.value = value;
    else
      metric.gauge.value = value;
  }

  void write(const MetricSpec& spec, bool first, LabelValues labels, const FillHistogram& fill) override {
    auto& histogram = next(spec, first, labels).histogram;
    for (std::size_t i = 0; i < fill.samples.size(); ++i) {
      histogram.sample_count += fill.samples[i];
      histogram.bucket.push_back({histogram.sample_count, FillHistogram::kUpperBounds[i]});
    }
    histogram.sample_sum = fill.sum;
  }

  prometheus::ClientMetric& next(const MetricSpec& spec, bool first, LabelValues labels) {
    if (first) flush();
    if (first) families_.push_back({std::string(spec.name), help_text(spec), type_of(spec), {}});
    auto& metric = families_.back().metric.emplace_back();
    metric.label.reserve(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i)
      metric.label.push_back({std::string(spec.labels[i]), std::string(labels[i])});
    return metric;
  }

  const TextSink& sink_;
  std::vector<prometheus::MetricFamily> families_;  // the one, or none
};

}  // namespace

void write_prometheus(const Report& report, const Limits& limits, const TextSink& sink) {
  Families families(limits, sink);
  collect_samples(report, families);
  families.flush();
}

std::string to_prometheus_text(const Report& report, const Limits& limits) {
  std::string text;
  write_prometheus(report, limits, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace tcpdiag
