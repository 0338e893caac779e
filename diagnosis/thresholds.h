// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "core/facts/processes.h"

namespace tcpdiag {

/// Where the rules draw their lines. kThresholds says what each means.
struct Thresholds {
  // SYN queue
  std::uint64_t cookies_min = 5;
  double cookies_valid_burst = 0.6;
  double cookies_valid_flood = 0.1;
  std::uint64_t flood_cookies_min = 100;
  std::uint64_t syn_drop_min = 5;

  // accept queue
  double stall_seconds = 3;
  double quiet_stall_seconds = 15;
  double slow_seconds = 10;
  double stand_seconds = 2;
  double turned_away_share = 0.5;

  // requests
  std::uint64_t unread_min = 10;
  double unread_share = 0.25;

  // client side
  std::uint64_t unanswered_min = 3;
  std::uint64_t syn_retrans_min = 3;
  double ports_exhausted = 0.99;
  double ports_low = 0.8;
  std::uint64_t refused_min = 20;
  double refused_share = 0.1;
  double refused_mostly = 0.6;

  // path
  std::uint64_t lossy_min = 50;
  double lossy_share = 0.02;
  double lossy_much = 0.05;
  std::uint64_t vanished_min = 3;
  std::uint64_t vanished_client_min = 20;

  // closing
  std::uint64_t close_wait_min = 10;
  std::uint64_t close_wait_client_min = 100;
  std::uint64_t close_wait_standing_min = 100;
  std::uint64_t unaccepted_close_wait_min = 3;
  std::uint64_t closed_sockets_min = 10;
  double time_wait_high = 0.5;
  std::uint64_t time_wait_overflow_min = 10;
  std::uint64_t fin_wait2_min = 100;
  double fin_wait2_high = 0.25;
  double orphans_high = 0.25;
  std::uint64_t app_resets_min = 5;
  double app_resets_share = 0.05;
  std::uint64_t app_resets_lost_min = 20;
  double app_resets_lost_share = 0.25;
  std::uint64_t app_resets_local_min = 100;
  std::uint64_t reuse_resets_min = 3;

  // descriptors
  std::uint64_t fd_limit_min = Processes::kSmallestLimit;
  double fd_near = 0.8;
  double system_fd_near = 0.8;
  double system_fd_reached = 0.95;

  // host
  std::uint64_t softnet_drops_min = 10;
  std::uint64_t softnet_drops_many = 100;
  double tcp_memory_high = 0.9;

  // connection tracking
  double conntrack_near = 0.9;
  double conntrack_nearly_full = 0.95;

  // settings
  double limit_lowered_much = 0.5;
  double port_range_small = 0.5;
  double port_range_tiny = 0.1;
  std::uint64_t unknown_keys_max = 32;
  std::uint64_t ignored_lines_max = 16;
  std::uint64_t netns_differences_max = 8;
};

/// A threshold's row for the documentation.
struct ThresholdSpec {
  std::string_view family;  ///< of the rules that it is for
  std::string_view name;    ///< a share unless it is a count or ends in _seconds; texts call it {t.NAME}
  std::variant<std::uint64_t Thresholds::*, double Thresholds::*> member;
  std::string_view help;  ///< what it is a measure of; increases are over the rule's lookback
};

/// Every threshold, in the order of the struct.
inline constexpr ThresholdSpec kThresholds[] = {
    {"SYN queue", "cookies_min", &Thresholds::cookies_min,
     "SYN cookies sent before the SYN queue is reported"},
    {"SYN queue", "cookies_valid_burst", &Thresholds::cookies_valid_burst,
     "share of cookies that come back at which it is real clients"},
    {"SYN queue", "cookies_valid_flood", &Thresholds::cookies_valid_flood,
     "share that come back up to which "
     "it is a flood"},
    {"SYN queue", "flood_cookies_min", &Thresholds::flood_cookies_min,
     "cookies sent before a flood is suspected"},
    {"SYN queue", "syn_drop_min", &Thresholds::syn_drop_min, "SYNs dropped with cookies off"},
    {"Accept queue", "stall_seconds", &Thresholds::stall_seconds,
     "a queue that is full for this long is not a burst; one from which nothing is taken for this long is "
     "not being served"},
    {"Accept queue", "quiet_stall_seconds", &Thresholds::quiet_stall_seconds,
     "the same for one member of a group when nothing was turned away in that time"},
    {"Accept queue", "slow_seconds", &Thresholds::slow_seconds,
     "a queue that is not empty for this long, while connections are accepted, means too little capacity; a "
     "server that took something out of its queue a moment ago gets this long to go on"},
    {"Accept queue", "stand_seconds", &Thresholds::stand_seconds,
     "a queue that is never found empty for this long is not being served well"},
    {"Accept queue", "turned_away_share", &Thresholds::turned_away_share,
     "share of the attempts of the last 10 s turned away at which most clients fail"},
    {"Requests", "unread_min", &Thresholds::unread_min,
     "accepted connections of a port whose data has not been read for 10 s or longer"},
    {"Requests", "unread_share", &Thresholds::unread_share,
     "the same as a share of the port's accepted connections"},
    {"Client side", "unanswered_min", &Thresholds::unanswered_min,
     "connections in SYN_SENT to one destination, in two dumps in a row"},
    {"Client side", "syn_retrans_min", &Thresholds::syn_retrans_min, "SYNs sent again within a minute"},
    {"Client side", "ports_exhausted", &Thresholds::ports_exhausted,
     "share of the ephemeral ports in use at which none is left: a dump misses some"},
    {"Client side", "ports_low", &Thresholds::ports_low, "share in use at which they are running out"},
    {"Client side", "refused_min", &Thresholds::refused_min,
     "connection attempts within half a minute that fail at once"},
    {"Client side", "refused_share", &Thresholds::refused_share, "the same as a share of all attempts"},
    {"Client side", "refused_mostly", &Thresholds::refused_mostly,
     "share at which it is a warning: programs that try ::1 before 127.0.0.1 stay below it"},
    {"Path", "lossy_min", &Thresholds::lossy_min, "segments sent again within half a minute"},
    {"Path", "lossy_share", &Thresholds::lossy_share, "the same as a share of the segments sent"},
    {"Path", "lossy_much", &Thresholds::lossy_much, "share at which it is a warning"},
    {"Path", "vanished_min", &Thresholds::vanished_min,
     "connections to one service of a peer that does not acknowledge what it is sent"},
    {"Path", "vanished_client_min", &Thresholds::vanished_client_min,
     "the same for one client of a service of this host: more than a browser opens"},
    {"Closing", "close_wait_min", &Thresholds::close_wait_min,
     "connections in CLOSE_WAIT that a server does not close"},
    {"Closing", "close_wait_client_min", &Thresholds::close_wait_client_min,
     "the same for a client: more than an idle connection pool"},
    {"Closing", "close_wait_standing_min", &Thresholds::close_wait_standing_min,
     "connections in CLOSE_WAIT that stay and do not grow in number"},
    {"Closing", "unaccepted_close_wait_min", &Thresholds::unaccepted_close_wait_min,
     "un-accepted connections whose client has given up"},
    {"Closing", "closed_sockets_min", &Thresholds::closed_sockets_min, "closed sockets that a process holds"},
    {"Closing", "time_wait_high", &Thresholds::time_wait_high,
     "TIME_WAIT of a server, as a share of the ephemeral ports"},
    {"Closing", "time_wait_overflow_min", &Thresholds::time_wait_overflow_min,
     "connections closed without TIME_WAIT within half a minute"},
    {"Closing", "fin_wait2_min", &Thresholds::fin_wait2_min,
     "orphaned connections in FIN_WAIT2, however small their limit"},
    {"Closing", "fin_wait2_high", &Thresholds::fin_wait2_high, "the same as a share of their limit"},
    {"Closing", "orphans_high", &Thresholds::orphans_high, "share of tcp_max_orphans at which it can bite"},
    {"Closing", "app_resets_min", &Thresholds::app_resets_min, "resets by programs within half a minute"},
    {"Closing", "app_resets_share", &Thresholds::app_resets_share,
     "the same as a share of the connections opened"},
    {"Closing", "app_resets_lost_min", &Thresholds::app_resets_lost_min,
     "resets with unread data within half a minute at which it can be a warning"},
    {"Closing", "app_resets_lost_share", &Thresholds::app_resets_lost_share,
     "share of the connections at which such resets are a warning"},
    {"Closing", "app_resets_local_min", &Thresholds::app_resets_local_min,
     "such resets at which it can be a warning even though either end, both on this host, may have asked for "
     "them"},
    {"Closing", "reuse_resets_min", &Thresholds::reuse_resets_min, "resets by servers within half a minute"},
    {"Descriptors", "fd_limit_min", &Thresholds::fd_limit_min,
     "a limit below this was set on purpose: a "
     "sandbox"},
    {"Descriptors", "fd_near", &Thresholds::fd_near,
     "share of RLIMIT_NOFILE at which a process is running "
     "out"},
    {"Descriptors", "system_fd_near", &Thresholds::system_fd_near,
     "share of fs.file-max at which the machine is running out"},
    {"Descriptors", "system_fd_reached", &Thresholds::system_fd_reached, "share at which that is critical"},
    {"Host", "softnet_drops_min", &Thresholds::softnet_drops_min,
     "received packets that CPUs drop within a minute"},
    {"Host", "softnet_drops_many", &Thresholds::softnet_drops_many,
     "the same at which it is a warning: a few may be one burst"},
    {"Host", "tcp_memory_high", &Thresholds::tcp_memory_high,
     "share of the most that net.ipv4.tcp_mem allows"},
    {"Connection tracking", "conntrack_near", &Thresholds::conntrack_near,
     "share of the limit at which it is worth a warning"},
    {"Connection tracking", "conntrack_nearly_full", &Thresholds::conntrack_nearly_full,
     "share at which that is critical: the kernel starts to drop entries"},
    {"Settings", "limit_lowered_much", &Thresholds::limit_lowered_much,
     "share of the kernel's default below which it is a warning"},
    {"Settings", "port_range_small", &Thresholds::port_range_small,
     "share of the kernel's default of 28232 local ports below which it is worth knowing"},
    {"Settings", "port_range_tiny", &Thresholds::port_range_tiny,
     "share of them below which it is a warning"},
    {"Settings", "unknown_keys_max", &Thresholds::unknown_keys_max, "unknown keys reported, at most"},
    {"Settings", "ignored_lines_max", &Thresholds::ignored_lines_max,
     "lines without effect, of one kind, that are named"},
    {"Settings", "netns_differences_max", &Thresholds::netns_differences_max,
     "differing settings that are named"},
};

}  // namespace tcpdiag
