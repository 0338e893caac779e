// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "core/facts/processes.h"

namespace tcpdiag {

/// Where the rules draw their lines. threshold_table() says what each means.
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
  std::string_view name;
  std::variant<std::uint64_t Thresholds::*, double Thresholds::*> member;
  std::string_view help;  ///< what it is a measure of; increases are over the rule's lookback
};

/// Every threshold, in the order of the struct.
std::span<const ThresholdSpec> threshold_table();

}  // namespace tcpdiag
