// SPDX-License-Identifier: Apache-2.0
#include "exporters/samples.h"

#include <algorithm>
#include <string>

#include "core/utf8.h"
#include "exporters/metric_catalog.h"

namespace tcpdiag {

void Samples::begin(const MetricSpec& spec) {
  spec_ = &spec;
  written_ = 0;
  cuts_.push_back({&spec, 0});
}

void Samples::cut(std::uint64_t count) { cuts_.back().count += count; }

void Samples::add(std::optional<double> value, std::initializer_list<std::string_view> labels) {
  if (value) write_within_limits(*value, labels);
}

void Samples::add(const FillHistogram& histogram, std::initializer_list<std::string_view> labels) {
  write_within_limits(histogram, labels);
}

template <class Value>
void Samples::write_within_limits(const Value& value, std::initializer_list<std::string_view> labels) {
  if (written_ == limits_.samples) return cut(1);
  const bool first = written_++ == 0;
  if (std::ranges::all_of(labels, is_one_line)) return write(*spec_, first, labels, value);

  std::vector<std::string> texts;
  std::ranges::transform(labels, std::back_inserter(texts), one_line);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  write(*spec_, first, views, value);
}

}  // namespace tcpdiag
