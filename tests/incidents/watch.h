// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "tests/incidents/said.h"

namespace tcpdiag::incidents {

/// Asks a daemon for its findings five times a second, from a thread in its network namespace.
class Watch {
 public:
  Watch(Side side, std::vector<Expected> expected) : side_(side), said_(std::move(expected)) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  /// Returns when the daemon is ready; throws when it is not in time.
  void begin();
  [[nodiscard]] Side side() const { return side_; }
  /// What it has said up to now.
  [[nodiscard]] Said said() const;
  /// The daemon's whole report, as JSON; empty when it does not answer.
  [[nodiscard]] std::string report() const;

 private:
  void ask_on();

  const Side side_;
  mutable std::mutex mutex_;
  Said said_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace tcpdiag::incidents
