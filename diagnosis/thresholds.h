// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tcpdiag {

/// Where the rules draw their lines. Increases are over the rule's lookback.
struct Thresholds {
  // SYN queue
  std::uint64_t cookies_min = 5;          ///< SYN cookies sent before the SYN queue is worth a word
  double cookies_valid_burst = 0.6;       ///< share of cookies that come back from which it is real clients
  double cookies_valid_flood = 0.1;       ///< share up to which it is a flood
  std::uint64_t flood_cookies_min = 100;  ///< cookies sent before a flood is suspected
  std::uint64_t syn_drop_min = 5;         ///< SYNs dropped with cookies off

  // accept queue
  double stall_seconds = 3;         ///< a queue that every look finds full for so long is no burst
  double quiet_stall_seconds = 15;  ///< the same when nothing was turned away in the meantime
  double slow_seconds = 10;         ///< and so long, while connections are accepted, is too little capacity
  double stand_seconds = 2;         ///< a queue that no look finds empty for so long is not being served well

  // client side
  std::uint64_t unanswered_min = 3;   ///< connections in SYN_SENT to one destination, in two dumps in a row
  std::uint64_t syn_retrans_min = 3;  ///< SYNs sent again within a minute
  double ports_exhausted =
      0.99;                ///< share of the ephemeral ports from which none is left: a dump misses some
  double ports_low = 0.8;  ///< share from which they run out

  // closing
  std::uint64_t close_wait_min = 10;          ///< connections in CLOSE_WAIT that a server does not close
  std::uint64_t close_wait_client_min = 100;  ///< the same of a client: more than an idle pool of connections
  std::uint64_t unaccepted_close_wait_min = 3;  ///< un-accepted connections whose client has given up
  std::uint64_t closed_sockets_min = 10;        ///< closed sockets that a process holds
  double time_wait_high = 0.5;                  ///< TIME_WAIT of a server, as a share of the ephemeral ports
  std::uint64_t time_wait_overflow_min = 10;    ///< connections closed without TIME_WAIT within half a minute
  std::uint64_t fin_wait2_min = 100;   ///< orphaned connections in FIN_WAIT2, however small their limit
  double fin_wait2_high = 0.25;        ///< the same as a share of their limit
  double orphans_high = 0.25;          ///< share of tcp_max_orphans from which it can bite
  std::uint64_t app_resets_min = 5;    ///< resets by programs within half a minute
  double app_resets_share = 0.05;      ///< the same as a share of the connections that are opened
  std::uint64_t reuse_resets_min = 3;  ///< resets by servers within half a minute

  // descriptors
  std::uint64_t fd_limit_min = 32;  ///< a lower limit was set on purpose: a sandbox
  double fd_near = 0.8;             ///< share of RLIMIT_NOFILE from which a process runs out
  double system_fd_near = 0.8;      ///< share of fs.file-max from which the machine runs out
  double system_fd_reached = 0.95;  ///< share from which that is critical

  // host
  std::uint64_t softnet_drops_min = 10;  ///< received packets that CPUs drop within a minute
  double tcp_memory_high = 0.9;          ///< share of the most that net.ipv4.tcp_mem allows

  // connection tracking
  double conntrack_near = 0.9;  ///< share of the limit from which it is worth a warning
  double conntrack_nearly_full =
      0.95;  ///< share from which that is critical: the kernel begins to drop entries

  // settings
  double limit_lowered_much = 0.5;          ///< share of the kernel's own value below which it is a warning
  std::uint64_t unknown_keys_max = 32;      ///< keys that the kernel does not have that are told of
  std::uint64_t netns_differences_max = 8;  ///< differing settings that are named
};

}  // namespace tcpdiag
