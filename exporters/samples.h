// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/facts/listeners.h"

namespace tcpdiag {

struct MetricSpec;

/// How much a page of metrics may show. What is beyond is left out and counted.
struct Limits {
  std::size_t listeners = 1000;     ///< for each namespace
  std::size_t server_ports = 1000;  ///< for each namespace
  std::size_t processes = 50;       ///< groups of processes
  std::size_t findings = 500;       ///< open ones
  std::size_t samples = 20'000;     ///< of one family, whatever it is about; a histogram is one
};

/// Samples of a family that were left out.
struct CutSamples {
  const MetricSpec* spec;
  std::uint64_t count = 0;
};

/// Takes the samples of one family after the other, keeps them within the limits, and hands them on to a
/// writer of some format.
class Samples {
 public:
  explicit Samples(const Limits& limits) : limits_(limits) {}
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  virtual ~Samples() = default;

  /// The samples that follow belong to this family. The spec must stay where it is.
  void begin(const MetricSpec& spec);
  /// One sample; none when the value is not known. The labels' values stand in the order of
  /// MetricSpec::labels; they may hold any byte.
  void add(std::optional<double> value, std::initializer_list<std::string_view> labels);
  void add(const FillHistogram& histogram, std::initializer_list<std::string_view> labels);
  /// The caller leaves out this many samples because of a limit.
  void cut(std::uint64_t count);

  [[nodiscard]] const Limits& limits() const { return limits_; }
  /// Every family so far, with what was left out of it.
  [[nodiscard]] std::span<const CutSamples> cuts() const { return cuts_; }

 protected:
  using LabelValues = std::span<const std::string_view>;
  /// `first`: no other sample of the family came before.
  virtual void write(const MetricSpec& spec, bool first, LabelValues labels, double value) = 0;
  virtual void write(const MetricSpec& spec, bool first, LabelValues labels,
                     const FillHistogram& histogram) = 0;

 private:
  template <class Value>
  void write_within_limits(const Value& value, std::initializer_list<std::string_view> labels);

  Limits limits_;
  const MetricSpec* spec_ = nullptr;
  std::size_t written_ = 0;
  std::vector<CutSamples> cuts_;
};

}  // namespace tcpdiag
