// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/snapshot.h"
#include "tests/incidents/finding.h"

namespace tcpdiag::incidents {

/// One condition of one subject, over all answers that showed it.
struct Sighting {
  SeenFinding finding;  ///< as of the latest
  TimePoint first, last;
  int opened = 1;  ///< times it came
};

/// When an expected finding was there as it should be.
struct Match {
  std::optional<TimePoint> first;
  TimePoint last;
};

/// All that a daemon has said about findings.
struct Said {
  std::vector<Sighting> sightings;
  std::vector<Match> matches;  ///< for each expected finding of its side
  TimePoint last_asked;        ///< of the latest answer
  std::string latest;          ///< the latest answer
  std::string fullest;         ///< the latest answer with the most findings
  std::string trouble;         ///< why an answer could not be used; empty: there was none such
};

/// Asks a daemon for its findings five times a second, from a thread in its network namespace.
class Watch {
 public:
  Watch(Side side, std::vector<Expected> expected);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  /// Returns when the daemon is ready; throws when it is not in time.
  void begin();
  [[nodiscard]] Said said() const;
  [[nodiscard]] const std::vector<Expected>& expected() const { return expected_; }
  [[nodiscard]] Side side() const { return side_; }
  /// Whether every expected finding is there now.
  [[nodiscard]] bool all_there() const;
  /// Whether none is that closes.
  [[nodiscard]] bool all_closed() const;
  /// The daemon's whole report, as JSON; empty when it does not answer.
  std::string report() const;

 private:
  void ask_on();
  void take(const std::string& answer);
  [[nodiscard]] bool is_there(std::size_t expected) const;

  const Side side_;
  const std::vector<Expected> expected_;
  mutable std::mutex mutex_;
  Said said_;
  std::size_t most_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace tcpdiag::incidents
