// SPDX-License-Identifier: Apache-2.0
// Every metric there is. The one table behind this header is the source of /metrics, of its HELP and TYPE
// lines and of docs/reference/metrics.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/report.h"
#include "exporters/samples.h"

namespace tcpdiag {

struct TcpCounterSpec;

enum class MetricType { counter, gauge, histogram };

/// "counter", "gauge", "histogram".
std::string_view to_string(MetricType type);

/// One family of metrics.
struct MetricSpec {
  std::string_view group;  ///< heading in the documentation; the rows of a group stand together
  std::string_view name;
  MetricType type = MetricType::gauge;
  std::span<const std::string_view> labels;  ///< names, in the order in which `fill` gives the values
  std::string_view source;                   ///< the kernel's file and word, or what it is computed from
  std::string_view help;                     ///< a sentence or two: what it is, what it means when it rises
  /// Adds the family's samples. What is not known gets no sample. nullptr: they are those of `tcp_counter`.
  void (*fill)(const Report& report, Samples& samples) = nullptr;
  const TcpCounterSpec* tcp_counter = nullptr;
};

/// All families, in the order of the page: first the TCP counters.
std::span<const MetricSpec> metric_catalog();

/// The text of a family's HELP line: the help and the source.
std::string help_text(const MetricSpec& spec);

/// Gives the samples of all families to `samples`.
void collect_samples(const Report& report, Samples& samples);

}  // namespace tcpdiag
