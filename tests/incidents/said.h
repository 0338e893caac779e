// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/time_point.h"
#include "tests/incidents/finding.h"

namespace tcpdiag::incidents {

/// One condition of one subject, over all answers that showed it.
struct Sighting {
  SeenFinding finding;            ///< as of the latest
  std::vector<TimePoint> opened;  ///< each time it came
  TimePoint last;
  bool as_expected = false;  ///< in one of the answers it was what the scenario waits for
};

/// When an expected finding was there as it should be.
struct Match {
  std::optional<TimePoint> first;
  TimePoint last;
};

/// All that one daemon has said about findings, and how that meets what is expected of it.
class Said {
 public:
  explicit Said(std::vector<Expected> expected);

  /// One answer of GET /api/v1/findings.
  void take(const std::string& answer, TimePoint at);
  /// There was none: why.
  void miss(const std::string& why) { trouble_ = why; }

  [[nodiscard]] const std::vector<Expected>& expected() const { return expected_; }
  /// For each of expected().
  [[nodiscard]] const std::vector<Match>& when() const { return when_; }
  [[nodiscard]] const std::vector<Sighting>& sightings() const { return sightings_; }
  /// Whether the latest answer shows the expected finding of that index.
  [[nodiscard]] bool is_there(std::size_t index) const;
  /// Whether it shows all of them.
  [[nodiscard]] bool all_there() const;
  /// Whether it shows none of those that close.
  [[nodiscard]] bool all_closed() const;

  [[nodiscard]] const std::string& latest() const { return latest_; }
  /// The latest of the answers with the most findings.
  [[nodiscard]] const std::string& fullest() const { return fullest_; }
  /// Why an answer could not be used; empty: there was none such.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  void note(const SeenFinding& finding, TimePoint at);

  std::vector<Expected> expected_;
  std::vector<Match> when_;
  std::vector<Sighting> sightings_;
  std::optional<TimePoint> last_answer_;  // that could be used
  std::string latest_, fullest_, trouble_;
  std::size_t most_ = 0;
};

}  // namespace tcpdiag::incidents
