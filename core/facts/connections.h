// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/describe.h"
#include "core/section.h"

namespace tcpdiag {

/// TCP states with the kernel's numbers (include/net/tcp_states.h).
enum class TcpState : std::uint8_t {
  established = 1,
  syn_sent,
  syn_recv,
  fin_wait1,
  fin_wait2,
  time_wait,
  close,
  close_wait,
  last_ack,
  listen,
  closing,
};
inline constexpr std::size_t kTcpStates = 12;  ///< size of an array indexed by TcpState

/// "established", "syn_sent", ...: as node_exporter spells them.
std::string_view to_string(TcpState state);

/// Connections that share a service port, by state. The array is indexed by TcpState.
struct PortConnections {
  std::uint16_t port = 0;
  std::array<std::uint32_t, kTcpStates> by_state{};
  std::uint32_t unaccepted = 0;  ///< of established and close_wait: those no accept() has taken yet (inode 0)
  /// Of those un-accepted at the dump before, how many are it no more: accepted, or reset. 0: nothing was
  /// taken from the queue in between. Empty: not known, as after the first dump.
  Count unaccepted_left;
  /// For how long the first of them had waited at the dump. Empty: not known; it is asked for only where
  /// the queue was not seen empty for some seconds.
  std::optional<std::chrono::milliseconds> unaccepted_longest;
  std::uint32_t fin_wait2_orphaned = 0;  ///< of fin_wait2: those no process holds any more (inode 0)
  /// Of established, those that a process holds, with nothing under way and without a keep-alive timer: if
  /// the peer has vanished, nothing here finds out.
  std::uint32_t unwatched = 0;
  /// Of established, those that a process holds; and of these, those with data that it has not read at the
  /// moment of the dump. Server side only: 0 for a client's port.
  std::uint32_t accepted = 0, unread = 0;

  [[nodiscard]] std::uint32_t count(TcpState state) const {
    return by_state[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] std::uint64_t total() const;
};
constexpr auto members_of(Type<PortConnections>, auto member) {
  return std::tuple(member("port", &PortConnections::port), member("states", &PortConnections::by_state),
                    member("unaccepted", &PortConnections::unaccepted),
                    member("unaccepted_left", &PortConnections::unaccepted_left),
                    member("unaccepted_longest_seconds", &PortConnections::unaccepted_longest),
                    member("fin_wait2_orphaned", &PortConnections::fin_wait2_orphaned),
                    member("unwatched", &PortConnections::unwatched),
                    member("accepted", &PortConnections::accepted),
                    member("unread", &PortConnections::unread));
}

/// Half-open connections (SYN_RECV) of one listener.
struct HalfOpen {
  Endpoint listener;
  std::uint32_t count = 0;
  /// At least half of them come from that address. Empty: they come from many.
  std::optional<IpAddress> mostly_from;
};
constexpr auto members_of(Type<HalfOpen>, auto member) {
  return std::tuple(member("endpoint", &HalfOpen::listener), member("count", &HalfOpen::count),
                    member("mostly_from", &HalfOpen::mostly_from));
}

/// One socket in CLOSE_WAIT that a process still holds.
struct CloseWait {
  /// Service port: the local one on the server side, the remote one on the client side.
  std::uint16_t port = 0;
  bool server = false;
  std::uint64_t cookie = 0;
  std::uint32_t inode = 0;
  std::uint32_t uid = 0;  ///< owner when the socket was made
  TimePoint first_seen;   ///< of the first dump that showed it in CLOSE_WAIT: its age is at least that
  /// When this end sent something last, as far as is known: one that still sends serves a peer that has
  /// closed its sending side only. Before first_seen, or not set: nothing since the peer closed.
  TimePoint sent_at{};

  /// Since when the peer has closed and this end has sent nothing.
  [[nodiscard]] TimePoint idle_since() const { return std::max(first_seen, sent_at); }
};
constexpr auto members_of(Type<CloseWait>, auto member) {
  return std::tuple(member("port", &CloseWait::port), member("role", &CloseWait::server),
                    member("cookie", &CloseWait::cookie), member("inode", &CloseWait::inode),
                    member("uid", &CloseWait::uid), member("age_seconds", &CloseWait::first_seen),
                    member("sent_age_seconds", &CloseWait::sent_at));
}

/// Connections to a server port that are `PortConnections::unwatched` and on which nothing has come or gone
/// for kLong.
struct IdleConnections {
  std::uint16_t port = 0;
  std::uint32_t count = 0;
  std::chrono::seconds shortest{};  ///< each has been idle for so long at least

  static constexpr std::chrono::seconds kLong{30};
};
constexpr auto members_of(Type<IdleConnections>, auto member) {
  return std::tuple(member("port", &IdleConnections::port), member("count", &IdleConnections::count),
                    member("shortest_seconds", &IdleConnections::shortest));
}

/// Accepted connections to one address and port of this host, open or closed by their clients, that have had
/// unread data at every dump for kLong, and never less of it than at the one before.
struct UnreadConnections {
  IpAddress address;  ///< the local one of the connections, also where the listener is on every address
  std::uint16_t port = 0;
  std::uint32_t uid = 0;  ///< owner when the first of the sockets was made
  /// So many. A client that sends the next request, as long as the one before, as soon as it has its answer
  /// looks the same at a busy server.
  std::uint32_t standing = 0;
  /// Of them, those out of which nothing was read meanwhile and to which nothing was sent. Empty: not known.
  Count not_read;
  /// Connections to this address and port that a process holds; those of them that were served within kLong:
  /// something was read or sent.
  std::uint32_t accepted = 0, served = 0;
  /// For how long the data that came last to one of those not read has not been, of the one where it is
  /// longest. Empty: there is none.
  std::optional<std::chrono::seconds> longest;

  static constexpr std::chrono::seconds kLong{10};
};
constexpr auto members_of(Type<UnreadConnections>, auto member) {
  return std::tuple(
      member("address", &UnreadConnections::address), member("port", &UnreadConnections::port),
      member("uid", &UnreadConnections::uid), member("standing", &UnreadConnections::standing),
      member("not_read", &UnreadConnections::not_read), member("accepted", &UnreadConnections::accepted),
      member("served", &UnreadConnections::served), member("longest_seconds", &UnreadConnections::longest));
}

/// Open connections to one service of a peer, or of one client to a service here, whose data the peer does
/// not acknowledge: the retransmit timer of each has fired kRetransmits times or more without an answer in
/// between.
struct SilentPeer {
  bool server = false;  ///< this host is the server
  IpAddress address;    ///< of the peer
  /// Service port: the local one on the server side, the remote one on the client side.
  std::uint16_t port = 0;
  std::uint32_t uid = 0;  ///< owner when the first of the sockets was made
  std::uint32_t connections = 0;
  std::uint32_t standing = 0;  ///< of them, those that have been seen so for kLong
  /// Open connections of the same client to the same service that it has acknowledged something on lately:
  /// behind an address translation there are many. Only counted where this host is the server.
  std::uint32_t alive = 0;
  std::uint64_t retransmits = 0;  ///< times that their timers have fired since the last answer
  /// For how long the timer of one of them has been seen to fire without an answer; all of it may have lasted
  /// longer.
  std::chrono::seconds longest{};

  static constexpr std::uint8_t kRetransmits = 4;
  static constexpr std::chrono::seconds kLong{5};
};
constexpr auto members_of(Type<SilentPeer>, auto member) {
  return std::tuple(member("role", &SilentPeer::server), member("address", &SilentPeer::address),
                    member("port", &SilentPeer::port), member("uid", &SilentPeer::uid),
                    member("connections", &SilentPeer::connections),
                    member("standing", &SilentPeer::standing), member("alive", &SilentPeer::alive),
                    member("retransmits", &SilentPeer::retransmits),
                    member("longest_seconds", &SilentPeer::longest));
}

/// Ephemeral ports taken for one destination: a 4-tuple is unique, so this is also the number of sockets,
/// TIME_WAIT included.
struct Destination {
  IpAddress source;
  IpAddress destination;
  std::uint16_t port = 0;
  std::uint32_t local_ports = 0;
  /// Of local_ports, by what holds them; the rest belong to connections that are open, or being opened or
  /// closed.
  std::uint32_t time_wait = 0;
  std::uint32_t fin_wait2_orphaned = 0;  ///< in FIN_WAIT2, and no process here holds them (inode 0)
  std::uint32_t close_wait = 0;          ///< the other end has closed, the program here has not
};
constexpr auto members_of(Type<Destination>, auto member) {
  return std::tuple(member("source", &Destination::source), member("destination", &Destination::destination),
                    member("port", &Destination::port), member("local_ports", &Destination::local_ports),
                    member("time_wait", &Destination::time_wait),
                    member("fin_wait2_orphaned", &Destination::fin_wait2_orphaned),
                    member("close_wait", &Destination::close_wait));
}

/// The socket table, counted and never kept. A dump is not atomic: a socket that moves while the kernel walks
/// its table can be missed or seen twice, so small differences mean nothing.
struct Connections {
  /// The local port has a listener, or had one: it is outside the range of ephemeral ports, the remote one
  /// inside. By port.
  std::vector<PortConnections> server;
  std::uint64_t server_cut = 0;  ///< ports left out because there were more than kServerPorts, the least busy
  std::vector<PortConnections> client;  ///< everything else by remote port, the kClientPorts busiest, by port
  PortConnections client_other;         ///< the client connections to all other remote ports; port 0
  std::vector<HalfOpen> half_open;      ///< one for every listener, or the kHalfOpen busiest; by endpoint
  std::vector<CloseWait> close_wait;    ///< oldest first, at most kCloseWaits
  std::uint64_t close_wait_cut = 0;     ///< CLOSE_WAIT sockets beyond that
  std::vector<Destination> destinations;     ///< the busiest, by local ports, at most kDestinations
  std::uint32_t destination_undercount = 0;  ///< each may have up to this many more local ports; 0 = exact
  std::vector<Destination> unanswered;       ///< the same for sockets in SYN_SENT only, at most kDestinations
  /// Distinct local ports within the ephemeral range that client connections use, and these connections. As
  /// many ports as connections: none is shared between destinations, as after bind() before connect().
  std::uint32_t ephemeral_ports_used = 0, ephemeral_connections = 0;
  /// Of the ports of processes near their limit of descriptors, at most kIdlePorts: elsewhere it is not
  /// asked for.
  std::vector<IdleConnections> idle;
  /// Where there are enough to say something, at most kUnreadPorts, shared out among the sockets' owners.
  std::vector<UnreadConnections> unread;
  /// Connections with unread data that are not followed, since they are too many.
  std::uint64_t unread_cut = 0;
  /// The most connections first, at most kSilentPeers, shared out among the sockets' owners.
  std::vector<SilentPeer> silent_peers;
  /// Connections that may be to a further silent peer: too many to follow or to list.
  std::uint64_t silent_cut = 0;
  std::uint64_t sockets = 0;  ///< all that the dump showed, listeners included

  static constexpr std::size_t kServerPorts = 4096;
  static constexpr std::size_t kClientPorts = 20;
  static constexpr std::size_t kHalfOpen = 4096;
  static constexpr std::size_t kCloseWaits = 16384;
  static constexpr std::size_t kDestinations = 20;
  static constexpr std::size_t kIdlePorts = 4;
  static constexpr std::size_t kUnreadPorts = 32;
  static constexpr std::size_t kSilentPeers = 64;
};
/// The row of a service port; nullptr: there is none.
const PortConnections* find_server_port(const Connections& connections, std::uint16_t port);
PortConnections* find_server_port(Connections& connections, std::uint16_t port);
constexpr std::string_view collector_of(Type<Connections>) { return "connections"; }
constexpr auto members_of(Type<Connections>, auto member) {
  return std::tuple(
      member("server", &Connections::server), member("server_cut", &Connections::server_cut),
      member("client", &Connections::client), member("client_other", &Connections::client_other),
      member("half_open", &Connections::half_open), member("close_wait", &Connections::close_wait),
      member("close_wait_cut", &Connections::close_wait_cut, Shown::never),
      member("destinations", &Connections::destinations),
      member("destination_undercount", &Connections::destination_undercount),
      member("unanswered", &Connections::unanswered),
      member("ephemeral_ports_used", &Connections::ephemeral_ports_used),
      member("ephemeral_connections", &Connections::ephemeral_connections),
      member("idle", &Connections::idle), member("unread", &Connections::unread),
      member("unread_cut", &Connections::unread_cut), member("silent_peers", &Connections::silent_peers),
      member("silent_cut", &Connections::silent_cut), member("sockets", &Connections::sockets));
}

}  // namespace tcpdiag
