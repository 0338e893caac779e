// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "collectors/followed_sockets.h"
#include "collectors/inet_diag.h"
#include "collectors/source.h"

namespace tcpdiag {

/// Follows open connections whose retransmit timer fires from one dump to the next by their cookies,
/// kMostFollowed of them at most, and counts those to each peer that does not answer (SilentPeer).
class UnacknowledgedFollower {
 public:
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
  /// As FollowedSockets has them.
  void discard() { sockets_.discard(); }
  void forget() { sockets_.forget(); }

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

  FollowedSockets<Unacknowledged> sockets_;
};

}  // namespace tcpdiag
