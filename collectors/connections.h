// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "collectors/close_waits.h"
#include "collectors/collector.h"
#include "collectors/destinations.h"
#include "collectors/inet_diag.h"
#include "collectors/stillness.h"
#include "collectors/unaccepted.h"
#include "collectors/unacknowledged.h"
#include "collectors/unread.h"
#include "core/ephemeral_ports.h"

namespace tcpdiag {

/// Sockets by service port and state: 65536 ports at most, a row only for those that occur.
class PortTable {
 public:
  /// The port's row, made when there is none.
  PortConnections& row(std::uint16_t port);
  [[nodiscard]] bool contains(std::uint16_t port) const {
    const auto& page = pages_[port / kPage];
    return page != nullptr && (*page)[port % kPage] != 0;
  }
  [[nodiscard]] const std::vector<PortConnections>& rows() const { return rows_; }
  void clear();

 private:
  // Places in rows_ + 1; 0: none. Every socket's local port is looked up, and there is a table for each
  // namespace: there are pages only where there are rows.
  static constexpr std::size_t kPage = 256;
  using Page = std::array<std::uint32_t, kPage>;

  std::array<std::unique_ptr<Page>, 65536 / kPage> pages_;
  std::vector<PortConnections> rows_;
};

/// Counts one dump of the socket table. Listeners must be added first, as the kernel shows them first: they
/// tell which side of a connection is the server.
class ConnectionCounter {
 public:
  void add(const DiagSocket& socket, PortRange ephemeral);
  /// The counts of all that was added; begins anew.
  Connections finish(TimePoint now);
  [[nodiscard]] CloseWaitFollower& close_waits() { return close_waits_; }
  [[nodiscard]] UnreadFollower& unread() { return unread_; }
  /// Begins anew after a dump that failed half-way; what is known of the sockets of the dumps before stays.
  void discard();
  /// What is known of the sockets of the dumps before: what this one showed counts as seen for the first
  /// time.
  void forget_sockets();

 private:
  [[nodiscard]] bool is_server(const DiagSocket& socket, PortRange ephemeral) const;
  static void add_destination(const DiagSocket& socket, DestinationCounter& to,
                              std::uint32_t Destination::* held_by = nullptr);
  void add_ephemeral(const DiagSocket& socket);
  void add_half_open(const DiagSocket& socket);
  void add_accepted(const DiagSocket& socket, PortConnections& row);

  PortTable server_, client_;
  // Of whom at least half are from one address, its lead over all others is half of them or more (Boyer and
  // Moore, "MJRTY", 1981).
  struct HalfOpenCount {
    std::uint32_t count = 0, lead = 0;
    IpAddress candidate;
  };
  std::map<Endpoint, HalfOpenCount> half_open_;  // by listener
  UnacceptedFollower unaccepted_;
  DestinationCounter destinations_, unanswered_;
  PortSet ephemeral_ports_;  // used by a client connection
  std::uint32_t ephemeral_connections_ = 0;
  CloseWaitFollower close_waits_;
  UnreadFollower unread_;
  UnacknowledgedFollower unacknowledged_;
  std::uint64_t sockets_ = 0;
};

/// Dumps the socket table of a namespace and counts it. Where it matters, it asks for more in a second dump
/// of a few sockets: when those in CLOSE_WAIT sent something last, when something came to those whose data is
/// not being read, and for how long those are idle that take the descriptors of a process near its limit.
/// What it does not learn is not known, which is no error.
class ConnectionsReader {
 public:
  Result<Connections> operator()(const Reading& reading);
  /// The latest dump showed no connection but idle ones, and nothing has moved since.
  std::optional<TimePoint> still_holds(const Reading& reading) const;

  /// For so long at most: with established connections, and with none.
  static constexpr std::chrono::seconds kLongestRest{60}, kLongestRestWithout{600};

 private:
  ConnectionCounter counter_;
  std::uint64_t generation_ = 0;
  Stillness stillness_;                // since the latest dump
  std::optional<TimePoint> rests_to_;  // from it on another dump is needed in any case; empty: at once
};

}  // namespace tcpdiag
