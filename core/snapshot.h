// SPDX-License-Identifier: Apache-2.0
// Every fact the daemon can know, on one page. A snapshot is a value: collectors fill its sections,
// everything behind them only reads.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/owner.h"
#include "core/result.h"

namespace tcpdiag {

/// A point on the kernel's monotonic clock, the clock of every duration in the project.
using TimePoint = std::chrono::steady_clock::time_point;

/// A number the kernel gave. Empty: this kernel does not say; not zero.
using Count = std::optional<std::uint64_t>;

/// One collector's share of a snapshot: what it read, or why it could not.
template <class T>
struct Section {
  Result<std::shared_ptr<const T>> value = tl::unexpected<Error>(Error{});
  TimePoint read_at;  ///< when it was tried last, whether that failed or not

  [[nodiscard]] bool known() const { return value.has_value(); }
  /// The value, or nullptr when it is not known.
  [[nodiscard]] const T* get() const { return value ? value->get() : nullptr; }
};

/// Counters of one network namespace since it was made: /proc/net/snmp (Tcp:, RFC 4022) and /proc/net/netstat
/// (TcpExt:, include/uapi/linux/snmp.h). They count events, not connections.
struct TcpCounters {
  // connections and segments
  Count active_opens, passive_opens, attempt_fails, estab_resets, in_segs, out_segs, retrans_segs, in_errs,
      out_rsts, in_csum_errors;
  // accept and SYN queues
  Count listen_overflows, listen_drops, req_q_full_drop, req_q_full_do_cookies, syncookies_sent,
      syncookies_received, syncookies_failed, embryonic_rsts, syn_retrans, defer_accept_drop,
      migrate_req_success, migrate_req_failure, fast_open_listen_overflow;
  // connections the kernel reset
  Count abort_on_data, abort_on_close, abort_on_memory, abort_on_timeout, abort_on_linger, abort_failed;
  // TIME_WAIT
  Count tw, tw_recycled, tw_killed, time_wait_overflow;
  // loss and retransmission
  Count timeouts, loss_probes, fast_retrans, slow_start_retrans, lost_retransmit, retrans_fail, spurious_rtos;
  // memory and queues of established sockets
  Count backlog_drop, rcvq_drop, zero_window_drop, prune_called, rcv_pruned, ofo_pruned, ofo_drop,
      rcv_collapsed, memory_pressures, memory_pressures_chrono, pfmemalloc_drop, wqueue_too_big,
      to_zero_window_adv, from_zero_window_adv, want_zero_window_adv;
  // segments refused by a check
  Count paws_active, paws_estab, paws_old_ack, paws_timewait, beyond_window, ts_ecr_rejected, challenge_ack,
      syn_challenge, min_ttl_drop, out_of_window_icmps, lock_dropped_icmps;
  // packets of every protocol that came in through an interface through which no answer would go out
  Count ip_reverse_path_filter;
  // TCP_MD5SIG and TCP-AO (RFC 2385, RFC 5925)
  Count md5_not_found, md5_unexpected, md5_failure, ao_required, ao_bad, ao_key_not_found, ao_good,
      ao_dropped_icmps;
  // keep-alive
  Count keep_alive;
};

/// /proc/net/sockstat and sockstat6. `tcp_in_use`, `tcp6_in_use` and `time_wait` belong to the namespace;
/// `orphans`, `allocated` and `memory_bytes` are the whole machine's in whichever namespace they are read.
struct SocketUsage {
  Count tcp_in_use;   ///< hashed IPv4 sockets, listeners included, TIME_WAIT not
  Count tcp6_in_use;  ///< the same for IPv6
  Count
      time_wait;  ///< both families; includes FIN_WAIT2 sockets that the kernel keeps in the same small form
  Count orphans;  ///< sockets that no process holds any more
  Count allocated;     ///< all TCP sockets that exist, closed ones still held by a process included
  Count memory_bytes;  ///< buffers of all TCP sockets
  Count page_bytes;    ///< size of a page, which net.ipv4.tcp_mem counts in; known where memory_bytes is
};

/// How full an accept queue was at each sample: length / (limit + 1), because a backlog of N holds N+1. 1 is
/// full.
struct FillHistogram {
  static constexpr std::array<double, 8> kUpperBounds = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1};
  std::array<std::uint64_t, kUpperBounds.size()> samples{};  ///< per bucket, not cumulative
  double sum = 0;
};

/// One listening socket (sock_diag, state LISTEN).
struct ListenerSocket {
  std::uint64_t cookie = 0;        ///< the kernel's identity of the socket, never reused
  std::uint32_t inode = 0;         ///< as in /proc/PID/fd: socket:[inode]
  std::uint32_t uid = 0;           ///< owner when the socket was made
  std::uint32_t queue_length = 0;  ///< connections ready for accept() (idiag_rqueue)
  std::uint32_t queue_limit = 0;   ///< min(listen(), somaxconn) as of listen() (idiag_wqueue); holds one more
  std::optional<std::uint32_t>
      drops;  ///< segments dropped at this socket, wraps; attributes, never concludes
};

/// A stretch of looks at an accept queue, at least kLeast long, that all found the same.
struct QueueRun {
  static constexpr std::chrono::seconds kLeast{1};
  TimePoint since, until;  ///< its first look, and its latest

  bool operator==(const QueueRun&) const = default;
};

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
};

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

/// Half-open connections (SYN_RECV) of one listener.
struct HalfOpen {
  Endpoint listener;
  std::uint32_t count = 0;
  /// At least half of them come from that address. Empty: they come from many.
  std::optional<IpAddress> mostly_from;
};

/// One socket in CLOSE_WAIT that a process still holds.
struct CloseWait {
  std::uint16_t port =
      0;  ///< service port: the local one on the server side, the remote one on the client side
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

/// Connections to a server port that are `PortConnections::unwatched` and on which nothing has come or gone
/// for kLong.
struct IdleConnections {
  std::uint16_t port = 0;
  std::uint32_t count = 0;
  std::chrono::seconds shortest{};  ///< each has been idle for so long at least

  static constexpr std::chrono::seconds kLong{30};
};

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

/// Open connections to one service of a peer, or of one client to a service here, whose data the peer does
/// not acknowledge: the retransmit timer of each has fired kRetransmits times or more without an answer in
/// between.
struct SilentPeer {
  bool server = false;  ///< this host is the server
  IpAddress address;    ///< of the peer
  std::uint16_t port =
      0;  ///< service port: the local one on the server side, the remote one on the client side
  std::uint32_t uid = 0;  ///< owner when the first of the sockets was made
  std::uint32_t connections = 0;
  std::uint32_t standing = 0;  ///< of them, those that have been seen so for kLong
  /// Open connections of the same client to the same service that it has acknowledged something on lately:
  /// behind an address translation there are many. Only counted where this host is the server.
  std::uint32_t alive = 0;
  std::uint64_t retransmits = 0;   ///< times that their timers have fired since the last answer
  std::chrono::seconds longest{};  ///< for how long the timer of one of them has been seen to fire without an
                                   ///< answer; all of it may have lasted longer

  static constexpr std::uint8_t kRetransmits = 4;
  static constexpr std::chrono::seconds kLong{5};
};

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
  std::uint64_t unread_cut =
      0;  ///< connections with unread data that are not followed, since they are too many
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

/// One sysctl as it was read. A sysctl that this kernel or namespace does not have is not in the list.
struct Sysctl {
  std::string_view name;             ///< "net.core.somaxconn"; points into sysctl_table() (core/sysctls.h)
  std::vector<std::int64_t> values;  ///< its numbers, one for each field in the table; empty for a word
  std::string text;                  ///< as in the file, without the newline

  bool operator==(const Sysctl&) const = default;
};

/// A sysctl that is there but could not be read, or that reads otherwise than documented.
struct UnreadSysctl {
  std::string_view name;  ///< points into sysctl_table()
  Error error;

  bool operator==(const UnreadSysctl&) const = default;
};

/// How packets are checked that come in through an interface: net.ipv4.conf.NAME.rp_filter.
struct ReversePathFilter {
  std::string interface;  ///< or "all", of which and the interface's own the kernel takes the larger
  std::int64_t mode = 0;  ///< 0 off, 1 strict, 2 loose

  bool operator==(const ReversePathFilter&) const = default;
};

/// The addresses of a namespace, and how it checks where packets come from.
struct Interfaces {
  std::vector<IpAddress> addresses;  ///< loopback's included; ordered, at most kAddresses
  std::uint64_t addresses_cut = 0;   ///< at least so many more: beyond that, or in a table too long to read
  /// "all" first, then at most kFilters interfaces. Read only where TcpCounters::ip_reverse_path_filter is
  /// not 0: elsewhere none.
  std::vector<ReversePathFilter> filters;

  static constexpr std::size_t kAddresses = 1024;
  static constexpr std::size_t kFilters = 32;

  bool operator==(const Interfaces&) const = default;
};

/// The settings of a namespace, in the order of sysctl_table(). The machine-wide ones are in the host's view
/// only.
struct Settings {
  std::vector<Sysctl> sysctls;
  std::vector<UnreadSysctl> unread;  ///< unknown rather than absent; normally none

  /// nullptr when this kernel or namespace does not have it.
  [[nodiscard]] const Sysctl* find(std::string_view name) const;
  bool operator==(const Settings&) const = default;
};

/// Connection tracking (/proc/sys/net/netfilter, /proc/net/stat/nf_conntrack). Everything is empty where
/// nf_conntrack is not loaded.
struct Conntrack {
  Count entries;
  Count limit;  ///< the value is machine-wide, each namespace's own entries are compared with it
  Count drops, early_drops, insert_failed;  ///< of all CPUs; the kernel's 32 bits wrap, these go on counting
};

/// fs.file-nr: open files of the whole machine.
struct FileHandles {
  std::uint64_t open = 0;
  std::uint64_t max = 0;
};

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
  std::string
      wait_channel;  ///< of an owner: the kernel function it sleeps in (/proc/PID/wchan); empty: not known
  /// It lives in a network namespace that is not looked at, and neither is the machine's first one: whoever
  /// looks at a container from inside does not ask about its neighbours.
  bool elsewhere = false;

  /// open fds / soft limit; empty when either is not known.
  [[nodiscard]] std::optional<double> fd_ratio() const;
};

/// A listening socket that more processes hold than are named.
struct CrowdedSocket {
  std::uint32_t inode = 0;
  std::uint64_t holders = 0;  ///< all of them
};

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

/// /proc/meminfo: what the machine's limits are measured by.
struct MemoryInfo {
  Count total_bytes, available_bytes;
};

/// One assignment in a sysctl.d file.
struct SysctlLine {
  std::string file;
  std::uint32_t line = 0;
  std::string name;   ///< with dots: "net.ipv4.tcp_tw_recycle"; may be a pattern: "net.ipv4.conf.*.rp_filter"
  std::string value;  ///< as written; of a key that is a secret "(hidden)"
  /// Whether this kernel has it. Empty: could not be told, or the name is a pattern, or the kernel has it for
  /// network interfaces and this one is not there now.
  std::optional<bool> exists;
  bool excludes = false;  ///< "-NAME" without a value: takes the key out of patterns and earlier assignments
  bool at_boot = true;    ///< false: systemd-sysctl does not read the file (/etc/sysctl.conf without a link)
};

/// LimitNOFILE= of a systemd unit, as the last file that sets it says.
struct UnitFileLimit {
  std::string unit;  ///< empty: DefaultLimitNOFILE=, for units that have none of their own
  std::string file;
  std::uint32_t line = 0;
  std::string value;  ///< as written: "65536", "1024:524288", "0x10000", "infinity"; octal as decimal
};

/// A line about "nofile" of /etc/security/limits.conf or limits.d, which PAM applies to logins.
struct LoginFileLimit {
  std::string domain;  ///< whom it is for: "*", "nginx", "@group"
  std::string type;    ///< "soft", "hard", "-"
  std::string file;
  std::uint32_t line = 0;
  std::string value;  ///< "65536", "unlimited"
};

/// Why nothing takes over what a line of a configuration file says.
enum class IgnoredBecause {
  no_assignment,    ///< of a sysctl file: it has no '='
  no_limit,         ///< what should be a limit of open files is none: "unlimited", "1M"
  soft_above_hard,  ///< "2048:1024"
  empty_limit,      ///< "LimitNOFILE=" takes back nothing
  wrong_section,    ///< "LimitNOFILE=" under [Unit]
  misspelt_limit,   ///< "LimitNoFile="
};

/// A line that is passed over when its file is applied.
struct IgnoredLine {
  std::string file;
  std::uint32_t line = 0;
  std::string text;  ///< the line (also where its key is misspelt), or the limit in it; at most kMaxText
                     ///< bytes, any bytes; "(hidden)"
  std::string unit;  ///< whose limit it should be; empty: no unit's
  IgnoredBecause because = IgnoredBecause::no_assignment;

  static constexpr std::size_t kMaxText = 80;
};

/// What the configuration files of the host ask for: sysctl.d(5), systemd.unit(5), systemd-system.conf(5),
/// limits.conf(5).
struct HostConfig {
  /// In the order in which they are applied, first those that no boot applies; at most kMaxLines.
  std::vector<SysctlLine> sysctls;
  std::vector<UnitFileLimit>
      file_limits;  ///< of the units in Snapshot::processes, while that is known; by unit
  std::optional<UnitFileLimit> default_file_limit{};
  std::vector<LoginFileLimit> login_limits{};  ///< at most kMaxLogins
  std::vector<IgnoredLine> ignored{};          ///< at most kMaxIgnored
  bool systemd = false;                        ///< it was systemd that booted the host
  std::uint64_t cut = 0;                       ///< assignments, limits and ignored lines beyond these bounds
  /// Files and directories that are there but could not be read, at most kMaxUnread: what they ask for is not
  /// known.
  std::vector<Error> unread;

  static constexpr std::size_t kMaxLines = 4096;
  static constexpr std::size_t kMaxLogins = 256;
  static constexpr std::size_t kMaxIgnored = 128;
  static constexpr std::size_t kMaxUnread = 64;
};

/// One CPU's line of /proc/net/softnet_stat; machine-wide. The kernel's 32 bits wrap, these go on counting.
struct SoftnetCpu {
  std::uint32_t cpu = 0;
  std::uint64_t processed = 0;
  std::uint64_t dropped = 0;        ///< the CPU's input queue was full (netdev_max_backlog), or flow limit
  std::uint64_t time_squeezed = 0;  ///< the poll ran out of budget; by itself no loss
};
struct Softnet {
  std::vector<SoftnetCpu> cpus;
};

/// What a kernel log line that matters says.
enum class KernelEventKind {
  syn_flood,
  tcp_memory,
  orphans,
  time_wait_overflow,
  conntrack_full,
  conntrack_expectations_full,
  file_max,
  neighbour_table,
  open_request_dropped,
  messages_suppressed,
  window_scaling,
  page_allocation,
  out_of_memory_kill,
  suspect_gro,
  netdev_watchdog,
};
inline constexpr std::size_t kKernelEventKinds = 15;

/// "syn_flood", "tcp_memory", ...
std::string_view to_string(KernelEventKind kind);

/// One such line. The log is the machine's: a line names no namespace, so a port may be any container's.
struct KernelEvent {
  KernelEventKind kind = KernelEventKind::syn_flood;
  std::uint64_t sequence = 0;  ///< the record's number since boot
  TimePoint at;                ///< the log's clock, which stands still while the machine is suspended
  std::string text;        ///< the line as the log has it, at most KernelLog::kTextBytes: printable ASCII,
                           ///< every other byte and the backslash as \xNN
  std::string address;     ///< syn_flood from 6.2 on: the listener's bound address; otherwise empty
  std::uint16_t port = 0;  ///< syn_flood: the port; otherwise 0
  std::optional<bool> cookies;  ///< syn_flood: true "Sending cookies", false "Dropping request"

  bool operator==(const KernelEvent&) const = default;
};

/// SYN-flood lines of one port since the log was first read.
struct SynFloodReports {
  std::string address;  ///< empty where the kernel (before 6.2) names the port alone
  std::uint16_t port = 0;
  std::uint64_t count = 0;

  bool operator==(const SynFloodReports&) const = default;
};

/// /dev/kmsg. Counts begin with what is logged after the daemon first read to the log's end; `recent` also
/// holds older lines that the ring still had.
struct KernelLog {
  std::array<std::uint64_t, kKernelEventKinds> counts{};  ///< indexed by KernelEventKind
  std::vector<SynFloodReports> syn_floods;                ///< by address and port, at most kSynFloodPorts
  std::uint64_t syn_floods_cut = 0;                       ///< lines about further ports
  std::vector<KernelEvent> recent;                        ///< newest last, at most kRecent
  std::uint64_t lost = 0;  ///< records overwritten before they were read: lines may have been missed
  std::uint64_t next_sequence = 0;

  static constexpr std::size_t kRecent = 256;
  static constexpr std::size_t kTextBytes = 512;
  static constexpr std::size_t kSynFloodPorts = 256;

  bool operator==(const KernelLog&) const = default;
};

/// The daemon itself, as the Prometheus client libraries report it (/proc/self).
struct SelfUsage {
  std::int32_t pid = 0;  ///< 0: not known
  double cpu_seconds = 0;
  double start_time_seconds = 0;  ///< Unix time
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  Count open_fds, max_fds;
  std::uint64_t threads = 0;
};

/// The name of the daemon's own network namespace.
inline constexpr auto kHostNetns = "host";

/// What belongs to one network namespace.
struct NetnsView {
  std::string name;  ///< kHostNetns, or the name under /run/netns
  Section<TcpCounters> tcp;
  Section<SocketUsage> sockets;
  Section<Listeners> listeners;
  Section<Connections> connections;
  Section<Settings> settings;
  Section<Conntrack> conntrack;
  Section<Interfaces> interfaces;
};

/// Everything that is known at one moment.
struct Snapshot {
  TimePoint at;
  Section<FileHandles> files;
  Section<Processes> processes;
  Section<Softnet> softnet;
  Section<MemoryInfo> memory;
  Section<HostConfig> config;
  Section<KernelLog> kernel_log;
  Section<SelfUsage> self;
  std::vector<NetnsView> namespaces;  ///< the daemon's own first; never empty
};

}  // namespace tcpdiag
