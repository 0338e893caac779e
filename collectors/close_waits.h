// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "collectors/inet_diag.h"
#include "collectors/source.h"

namespace tcpdiag {

/// Follows connections in CLOSE_WAIT that a process holds from one dump to the next by their cookies,
/// Connections::kCloseWaits of them at most.
class CloseWaitFollower {
 public:
  /// One that the present dump shows. What nobody has accepted is not followed.
  void add(const DiagSocket& socket, bool server, std::uint16_t port);
  /// Ends a dump: sets what `connections` says about CLOSE_WAIT.
  void finish(TimePoint now, Connections& connections);
  /// Asks, when there are so many that they could be a leak, when each of them sent something last. Costs a
  /// dump of those in CLOSE_WAIT, at most kMostAsked.
  void look_closer(Source& source, TimePoint now, Connections& connections);
  /// Begins anew after a dump that failed half-way; what is known from those before stays.
  void discard();
  /// The dump before showed another namespace: nothing is known of this one.
  void forget() { known_.clear(); }

  static constexpr std::size_t kWorthAsking = 10;
  static constexpr std::uint64_t kMostAsked = 65536;

 private:
  struct Known {
    TimePoint first_seen, sent_at;
  };
  void remember(const std::vector<CloseWait>& close_waits);

  std::vector<CloseWait> present_;
  std::unordered_map<std::uint64_t, Known> known_;  // by cookie, from the dumps before
  std::uint64_t cut_ = 0;
};

}  // namespace tcpdiag
