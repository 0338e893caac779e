// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/describe.h"
#include "core/owner.h"
#include "core/section.h"

namespace tcpdiag {

/// A process that owns a listener, one of the fullest by descriptors that uses a tenth of its limit or more
/// (those with a limit of Processes::kSmallestLimit or more first), or one that holds connections whose peer
/// has closed.
struct Process {
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< with the pid, its identity (/proc/PID/stat field 22)
  std::string comm;
  Owner owner;       ///< its unit or container
  Count open_fds;    ///< empty: could not be read
  Count soft_limit;  ///< RLIMIT_NOFILE; empty: unlimited or could not be read
  Count hard_limit;
  std::vector<std::uint32_t> listener_inodes;  ///< listening sockets it holds; ordered
  /// Sockets in CLOSE_WAIT that it holds, of the oldest kCloseWaitsOwned of all namespaces that two dumps
  /// have shown; ordered.
  std::vector<std::uint32_t> close_wait_inodes;
  /// TCP sockets it holds that the socket table no longer shows: the connection is over, the descriptor is
  /// not closed. Fewer than 16 may be told as 0. Empty: not known (collectors/closed_sockets.h says when).
  Count closed_sockets;
  /// Its real user. Empty: not known; it is looked up only of those near their limit, and where there are
  /// more processes than are kept.
  std::optional<std::uint32_t> uid{};
  char state = 0;  ///< of an owner's main thread: 'R', 'S', 'D', 'T' ... (proc_pid_stat(5)); 0: not known
  /// Of an owner: the kernel function it sleeps in (/proc/PID/wchan); empty: not known.
  std::string wait_channel;
  /// It lives in a network namespace that is not looked at, and neither is the machine's first one: whoever
  /// looks at a container from inside does not ask about its neighbours.
  bool elsewhere = false;

  /// open fds / soft limit; empty when either is not known.
  [[nodiscard]] std::optional<double> fd_ratio() const;
};
constexpr auto members_of(Type<Process>, auto member) {
  return std::tuple(member("pid", &Process::pid), member("start_ticks", &Process::start_ticks),
                    member("process", &Process::comm), member("owner", &Process::owner),
                    member("open_fds", &Process::open_fds), member("soft_limit", &Process::soft_limit),
                    member("hard_limit", &Process::hard_limit),
                    member("listener_inodes", &Process::listener_inodes),
                    member("close_wait_inodes", &Process::close_wait_inodes),
                    member("closed_sockets", &Process::closed_sockets), member("uid", &Process::uid),
                    member("state", &Process::state, Shown::if_filled),
                    member("wait_channel", &Process::wait_channel, Shown::if_filled),
                    member("elsewhere", &Process::elsewhere));
}

/// A listening socket that more processes hold than are named.
struct CrowdedSocket {
  std::uint32_t inode = 0;
  std::uint64_t holders = 0;  ///< all of them
};
constexpr auto members_of(Type<CrowdedSocket>, auto member) {
  return std::tuple(member("inode", &CrowdedSocket::inode), member("holders", &CrowdedSocket::holders));
}

/// The processes worth naming, ordered by pid.
struct Processes {
  std::vector<Process> processes;
  std::uint64_t total = 0;  ///< processes on the machine, as far as /proc shows them
  /// Of them, those whose descriptors could not all be listed, or not yet: they may own a listener.
  std::uint64_t unreadable = 0;
  /// Of them, those that are there but whose open descriptors or limit could not be read, mostly because that
  /// is denied: they may be at their limit. Kernel threads and processes that have ended are none of them.
  std::uint64_t uncounted = 0;
  /// /proc does not list process 1, which every PID namespace has: it hides processes of others, too, and how
  /// many is not known (hidepid= in proc(5), ProtectProc= in systemd.exec(5)).
  bool some_hidden = false;
  /// TCP sockets of the machine that no known table shows: no process holds more closed ones. Empty: not
  /// known.
  Count closed_sockets_at_most;
  /// Of `processes`, those whose closed sockets could not be counted because that is denied.
  std::uint64_t closed_sockets_denied = 0;
  /// Owners of listeners or of sockets in CLOSE_WAIT left out because there were more than are kept. Those
  /// that are kept are shared out among the users and among the sockets, so that each socket has some.
  std::uint64_t owners_cut = 0;
  /// The sockets that those own which are left out; by inode, at most kCrowdedSockets.
  std::vector<CrowdedSocket> crowded;
  /// Processes left out though they use a tenth or more of their limit. Those that are kept are the fullest
  /// of each user.
  std::uint64_t fullest_cut = 0;
  double fullest_cut_ratio = 0;  ///< the fd_ratio() of the fullest of them

  static constexpr std::size_t kCloseWaitsOwned = 1024;
  static constexpr std::size_t kCrowdedSockets = 256;
  /// A process that may open fewer has locked itself in: it is no server.
  static constexpr std::uint64_t kSmallestLimit = 32;
};
constexpr std::string_view collector_of(Type<Processes>) { return "processes"; }
constexpr auto members_of(Type<Processes>, auto member) {
  return std::tuple(member("shown", &Processes::processes), member("total", &Processes::total),
                    member("unreadable", &Processes::unreadable), member("uncounted", &Processes::uncounted),
                    member("some_hidden", &Processes::some_hidden),
                    member("closed_sockets_at_most", &Processes::closed_sockets_at_most),
                    member("closed_sockets_denied", &Processes::closed_sockets_denied),
                    member("owners_cut", &Processes::owners_cut), member("crowded", &Processes::crowded),
                    member("fullest_cut", &Processes::fullest_cut),
                    member("fullest_cut_ratio", &Processes::fullest_cut_ratio));
}

}  // namespace tcpdiag
