// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
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
  /// A namespace in which no counter has moved for so long, and no socket come or gone, is at rest.
  static constexpr std::chrono::seconds kRestsAfter{3};

  /// Something of the namespace was read. What goes on in it from now on; empty: the same as before.
  std::optional<Activity> see(const NetnsView& netns, TimePoint now);
  /// Leaves those that are there.
  void keep(const Snapshot& snapshot);

 private:
  struct Seen {
    std::shared_ptr<const TcpCounters> counters;  // held, so that no other value gets its address
    std::shared_ptr<const Listeners> listeners;
    std::array<Count, 3> in_use;  // SocketUsage::own()
    bool calm = false;            // as of `listeners`
    TimePoint moved_at;
    Activity activity = Activity::unknown;
  };

  std::map<NetnsId, Seen> seen_;
};

}  // namespace tcpdiag
