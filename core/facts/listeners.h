// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/describe.h"
#include "core/section.h"

namespace tcpdiag {

/// How full an accept queue was at each sample: length / (limit + 1), because a backlog of N holds N+1. 1 is
/// full.
struct FillHistogram {
  static constexpr std::array<double, 8> kUpperBounds = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1};
  std::array<std::uint64_t, kUpperBounds.size()> samples{};  ///< per bucket, not cumulative
  double sum = 0;
};
constexpr auto members_of(Type<FillHistogram>, auto member) {
  return std::tuple(member("samples", &FillHistogram::samples), member("sum", &FillHistogram::sum));
}

/// One listening socket (sock_diag, state LISTEN).
struct ListenerSocket {
  std::uint64_t cookie = 0;        ///< the kernel's identity of the socket, never reused
  std::uint32_t inode = 0;         ///< as in /proc/PID/fd: socket:[inode]
  std::uint32_t uid = 0;           ///< owner when the socket was made
  std::uint32_t queue_length = 0;  ///< connections ready for accept() (idiag_rqueue)
  std::uint32_t queue_limit = 0;   ///< min(listen(), somaxconn) as of listen() (idiag_wqueue); holds one more
  /// Segments dropped at this socket, wraps; attributes, never concludes.
  std::optional<std::uint32_t> drops;
};
constexpr auto members_of(Type<ListenerSocket>, auto member) {
  return std::tuple(
      member("cookie", &ListenerSocket::cookie), member("inode", &ListenerSocket::inode),
      member("uid", &ListenerSocket::uid), member("queue_length", &ListenerSocket::queue_length),
      member("queue_limit", &ListenerSocket::queue_limit), member("drops", &ListenerSocket::drops));
}

/// A stretch of looks at an accept queue, at least kLeast long, that all found the same.
struct QueueRun {
  static constexpr std::chrono::seconds kLeast{1};
  TimePoint since, until;  ///< its first look, and its latest

  bool operator==(const QueueRun&) const = default;
};
constexpr auto members_of(Type<QueueRun>, auto member) {
  return std::tuple(member("since_age_seconds", &QueueRun::since),
                    member("until_age_seconds", &QueueRun::until));
}

/// The sockets that listen on one endpoint: one, or the members of an SO_REUSEPORT group, each with its own
/// queue.
struct Listener {
  Endpoint endpoint;
  std::optional<bool> v6_only;          ///< empty for IPv4
  std::vector<ListenerSocket> sockets;  ///< ordered by cookie; never empty
  std::uint32_t peak_length = 0;        ///< longest queue of any member within the last 60 s
  /// net.core.somaxconn when the listener appeared or changed its limit. Empty: it was not known then.
  Count somaxconn_when_seen;
  Count drops;         ///< of all members, the closed ones included, since each was made; never decreases
  FillHistogram fill;  ///< of the fullest member at each sample since the listener was first seen
  /// The latest run of looks that all found the fullest member full, not empty, or not empty and no member
  /// shorter than at the look before: nothing was seen to be taken. Present when it ends at the latest look.
  /// Empty: there was none since the listener was first seen.
  std::optional<QueueRun> full, standing, still;

  /// The member whose queue is fullest.
  [[nodiscard]] const ListenerSocket& fullest() const;
  /// Whether a connection waits for accept(), or has within the last 60 s.
  [[nodiscard]] bool was_waited_on() const { return peak_length > 0 || fullest().queue_length > 0; }
};
constexpr auto members_of(Type<Listener>, auto member) {
  return std::tuple(member("endpoint", &Listener::endpoint), member("v6_only", &Listener::v6_only),
                    member("sockets", &Listener::sockets), member("peak_length", &Listener::peak_length),
                    member("somaxconn_when_seen", &Listener::somaxconn_when_seen),
                    member("drops", &Listener::drops), member("fill", &Listener::fill),
                    member("full", &Listener::full), member("standing", &Listener::standing),
                    member("still", &Listener::still));
}

/// Share of the accept queue in use: 0 empty, 1 full.
double fill_ratio(const ListenerSocket& socket);
/// Whether the accept queue takes no further connection: it holds one more than its limit
/// (sk_acceptq_is_full()).
bool is_full(const ListenerSocket& socket);

/// All listeners of a namespace, ordered by port and address.
struct Listeners {
  std::vector<Listener> listeners;
  std::uint64_t cut = 0;  ///< listening sockets left out because there were more than the collector keeps
  std::uint64_t waited_on_cut = 0;  ///< of them, those with connections in their queue
};
constexpr std::string_view collector_of(Type<Listeners>) { return "listeners"; }
constexpr auto members_of(Type<Listeners>, auto member) {
  return std::tuple(member("endpoints", &Listeners::listeners), member("cut", &Listeners::cut),
                    member("waited_on_cut", &Listeners::waited_on_cut));
}

}  // namespace tcpdiag
