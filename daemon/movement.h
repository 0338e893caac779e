// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>

#include "collectors/collector.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// What goes on in each namespace, from one look to the next.
class Movement {
 public:
  /// A namespace in which no counter has moved for so long is at rest.
  static constexpr std::chrono::seconds kRestsAfter{3};

  /// Something of the namespace was read. What goes on in it from now on; empty: the same as before.
  std::optional<Activity> see(const NetnsView& netns, TimePoint now);
  /// Leaves those that are there.
  void keep(const Snapshot& snapshot);

 private:
  struct Seen {
    std::shared_ptr<const TcpCounters> counters;  // held, so that no other value gets its address
    std::shared_ptr<const Listeners> listeners;
    bool calm = false;  // as of `listeners`
    TimePoint moved_at;
    Activity activity = Activity::trouble;
  };

  std::map<NetnsId, Seen> seen_;
};

}  // namespace tcpdiag
