// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "core/snapshot.h"

namespace tcpdiag {

/// The snapshots of the last five minutes: every one of the last minute, one in ten seconds before that. When
/// they hold more than kMaxBytes, every second one is left out, so that the span stays and the grain becomes
/// coarser. Snapshots share what did not change between them.
class History {
 public:
  static constexpr std::chrono::seconds kSpan{300};
  static constexpr std::chrono::seconds kFine{60};
  static constexpr std::chrono::seconds kCoarseStep{10};
  static constexpr std::size_t kMaxSnapshots = 256;
  static constexpr std::size_t kMaxBytes = 32 << 20;

  /// Adds the newest one. One that is not newer than the last one replaces it.
  void push(const Snapshot& snapshot);

  /// Oldest first.
  [[nodiscard]] const std::deque<Snapshot>& snapshots() const { return snapshots_; }
  [[nodiscard]] bool empty() const { return snapshots_.empty(); }
  /// Roughly what they hold, shared parts once.
  [[nodiscard]] std::size_t bytes() const;

 private:
  void thin_old(TimePoint now);
  void halve();
  void erase(std::size_t place);
  void measure(std::size_t place);

  std::deque<Snapshot> snapshots_;
  std::deque<std::size_t> bytes_;  // of each, without what it shares with the one before
};

}  // namespace tcpdiag
