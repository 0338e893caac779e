// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "collectors/inet_diag.h"
#include "collectors/source.h"

namespace tcpdiag {

/// Follows accepted connections whose data no process has read from one dump to the next by their cookies,
/// kMost of them at most: tells those where nothing was read for UnreadConnections::kLong.
class UnreadFollower {
 public:
  static constexpr std::size_t kMost = 16384;
  /// Of a port: fewer are not asked about.
  static constexpr std::uint32_t kWorthAsking = 10;

  /// One that the present dump shows with unread data.
  void add(std::uint16_t port, const DiagSocket& socket) {
    if (present_.size() < kMost)
      present_.push_back({socket.cookie, {}, socket.receive_queue, port});
    else
      ++cut_;
  }
  /// Ends a dump: sets Connections::unread and unread_cut. `connections.server` is ordered by port and whole.
  void finish(TimePoint now, Connections& connections);
  /// Asks, where there are many, when something came to them last: an amount that stays may also be that of
  /// the next request, after the one before was read. Costs a dump of the ports that it is about.
  void look_closer(Source& source, TimePoint now, Connections& connections) const;
  /// Starts again after a dump that failed half-way; what the one before it showed stays.
  void discard();
  /// The dump before showed another namespace: nothing is known of this one.
  void forget() { before_.clear(); }

 private:
  struct Unread {
    std::uint64_t cookie = 0;
    TimePoint since;          // of the first dump that showed as many bytes as now
    std::uint32_t bytes = 0;  // that wait to be read
    std::uint16_t port = 0;
  };
  [[nodiscard]] const Unread* find(std::uint64_t cookie) const;

  std::vector<Unread> present_;  // of this dump, in its order
  std::vector<Unread> before_;   // of the dump before, by cookie
  std::uint64_t cut_ = 0;
};

}  // namespace tcpdiag
