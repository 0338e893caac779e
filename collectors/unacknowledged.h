// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "collectors/inet_diag.h"
#include "collectors/source.h"

namespace tcpdiag {

/// Follows open connections whose retransmit timer fires from one dump to the next by their cookies, kMost of
/// them at most, and counts those to each peer that does not answer (SilentPeer).
class UnacknowledgedFollower {
 public:
  static constexpr std::size_t kMost = 16384;

  /// Whether something was sent again and is not acknowledged yet.
  static bool is_unacknowledged(const DiagSocket& socket) {
    return socket.timer == DiagTimer::retransmit && socket.retransmits != 0;
  }
  /// One that the present dump shows so. `port`: the service's.
  void add(const DiagSocket& socket, bool server, std::uint16_t port);
  /// Ends a dump: sets Connections::silent_peers and silent_cut.
  void finish(TimePoint now, Connections& connections);
  /// Asks whether other connections of the same clients are alive (SilentPeer::alive). Costs a dump of the
  /// ports of services here that silent clients use.
  static void look_closer(Source& source, Connections& connections);
  /// Starts again after a dump that failed half-way; what the one before it showed stays.
  void discard();
  /// The dump before showed another namespace: nothing is known of this one.
  void forget() { before_.clear(); }

 private:
  struct Unacknowledged {
    std::uint64_t cookie = 0;
    TimePoint since;  // of the first dump that showed it so
    IpAddress peer;
    std::uint32_t uid = 0;
    std::uint16_t port = 0;
    bool server = false;
    std::uint8_t retransmits = 0;
  };

  std::vector<Unacknowledged> present_;  // of this dump, in its order
  std::vector<Unacknowledged> before_;   // of the dump before, by cookie
  std::uint64_t cut_ = 0;
};

}  // namespace tcpdiag
