// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/followed_sockets.h"
#include "collectors/inet_diag.h"
#include "collectors/source.h"

namespace tcpdiag {

/// Follows accepted connections whose data no process has read from one dump to the next by their cookies,
/// kMostFollowed of them at most: tells those where nothing was read for UnreadConnections::kLong.
class UnreadFollower {
 public:
  /// Of an address and port: fewer are not told.
  static constexpr std::uint32_t kWorthAsking = 10;

  /// One that the present dump shows with unread data.
  void add(const DiagSocket& socket);
  /// Ends a dump: sets Connections::unread and unread_cut.
  void finish(TimePoint now, Connections& connections);
  /// Asks how much came to them and when: data that stays may also be that of the next request, after the one
  /// before was read. Costs a dump of the ports that it is about.
  void look_closer(Source& source, TimePoint now, Connections& connections);
  /// As FollowedSockets has them.
  void discard() { sockets_.discard(); }
  void forget() { sockets_.forget(); }

 private:
  struct Unread {
    std::uint64_t cookie = 0;
    TimePoint since;          // of the first dump from which on it never had less unread data
    std::uint32_t bytes = 0;  // that wait to be read
    std::uint32_t uid = 0;
    std::uint16_t port = 0;
    bool as_before = false;  // as many bytes at every dump since then
    IpAddress address;
    std::optional<std::uint64_t> read;  // bytes of all that were read, as the last closer look saw it
    TimePoint read_since;               // of the first closer look that saw as many
  };
  enum class Told { nothing, undecided, not_read, served };
  // What the message of a closer look tells; for how long nothing was read goes to `for_how_long`.
  [[nodiscard]] Told judge(const DiagSocket& socket, std::span<const std::byte> message, TimePoint now,
                           std::chrono::milliseconds& for_how_long);

  FollowedSockets<Unread> sockets_;
};

}  // namespace tcpdiag
