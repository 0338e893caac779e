// SPDX-License-Identifier: Apache-2.0
#include "exporters/prometheus.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "exporters/metric_catalog.h"

namespace tcpdiag {
namespace {

void append_number(std::string& page, double value) {
  if (std::isnan(value)) {
    page += "Nan";
  } else if (std::isinf(value)) {
    page += value < 0 ? "-Inf" : "+Inf";
  } else {
    char digits[32];
    const bool whole = std::abs(value) < 1e15 && value == std::trunc(value) && !std::signbit(value);
    const auto end = whole ? std::to_chars(digits, std::end(digits), static_cast<std::uint64_t>(value))
                           : std::to_chars(digits, std::end(digits), value, std::chars_format::general, 16);
    page.append(digits, end.ptr);
  }
}

bool is_special_in_help(char c) { return c == '\\' || c == '\n'; }
bool is_special_in_label(char c) { return c == '\\' || c == '\n' || c == '"'; }

template <class IsSpecial>
void append_escaped(std::string& page, std::string_view text, IsSpecial is_special) {
  for (auto at = std::ranges::find_if(text, is_special); at != text.end();
       at = std::ranges::find_if(text, is_special)) {
    page.append(text.begin(), at);
    page += '\\';
    page += *at == '\n' ? 'n' : *at;
    text = {at + 1, text.end()};
  }
  page += text;
}

class TextPage : public Samples {
 public:
  explicit TextPage(const Limits& limits) : Samples(limits) { page_.reserve(kUsualSize); }

  std::string take() { return std::move(page_); }

 private:
  static constexpr std::size_t kUsualSize = 128 << 10;

  void write(const MetricSpec& spec, bool first, LabelValues labels, double value) override {
    if (first) append_header(spec);
    append_line(spec, "", labels, {}, value);
  }

  void write(const MetricSpec& spec, bool first, LabelValues labels,
             const FillHistogram& histogram) override {
    if (first) append_header(spec);
    std::uint64_t count = 0;
    for (const auto samples : histogram.samples) count += samples;
    append_line(spec, "_count", labels, {}, static_cast<double>(count));
    append_line(spec, "_sum", labels, {}, histogram.sum);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < histogram.samples.size(); ++i) {
      cumulative += histogram.samples[i];
      append_line(spec, "_bucket", labels, FillHistogram::kUpperBounds[i], static_cast<double>(cumulative));
    }
    append_line(spec, "_bucket", labels, HUGE_VAL, static_cast<double>(count));
  }

  void append_header(const MetricSpec& spec) {
    page_.append("# HELP ").append(spec.name).append(" ");
    append_escaped(page_, help_text(spec), is_special_in_help);
    page_.append("\n# TYPE ").append(spec.name).append(" ").append(to_string(spec.type)).append("\n");
  }

  void append_line(const MetricSpec& spec, std::string_view suffix, LabelValues labels,
                   std::optional<double> upper_bound, double value) {
    page_.append(spec.name).append(suffix);
    char before = '{';
    for (std::size_t i = 0; i < labels.size(); ++i) {
      page_ += before;
      page_.append(spec.labels[i]).append("=\"");
      append_escaped(page_, labels[i], is_special_in_label);
      page_ += '"';
      before = ',';
    }
    if (upper_bound) {
      page_ += before;
      page_ += "le=\"";
      append_number(page_, *upper_bound);
      page_ += '"';
      before = ',';
    }
    page_ += before == ',' ? "} " : " ";
    append_number(page_, value);
    page_ += '\n';
  }

  std::string page_;
};

}  // namespace

std::string to_prometheus_text(const Report& report, const Limits& limits) {
  TextPage page(limits);
  collect_samples(report, page);
  return page.take();
}

}  // namespace tcpdiag
