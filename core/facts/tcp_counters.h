// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "core/describe.h"
#include "core/section.h"

namespace tcpdiag {

/// Counters of one network namespace since it was made: /proc/net/snmp (Tcp:, RFC 4022; Ip: and Icmp:, RFC
/// 4293) and /proc/net/netstat (TcpExt:, IpExt:; include/uapi/linux/snmp.h). They count events, not
/// connections.
struct TcpCounters {
  // connections and segments
  Count active_opens, passive_opens, attempt_fails, estab_resets, in_segs, out_segs, retrans_segs, in_errs,
      out_rsts, in_csum_errors;
  // accept and SYN queues
  Count listen_overflows, listen_drops, req_q_full_drop, req_q_full_do_cookies, syncookies_sent,
      syncookies_received, syncookies_failed, embryonic_rsts, syn_retrans, defer_accept_drop,
      migrate_req_success, migrate_req_failure, fast_open_listen_overflow, fast_open_passive_fail,
      fast_open_active_fail, fast_open_blackhole;
  // connections the kernel reset
  Count abort_on_data, abort_on_close, abort_on_memory, abort_on_timeout, abort_on_linger, abort_failed;
  // TIME_WAIT
  Count tw, tw_recycled, tw_killed, time_wait_overflow;
  // loss and retransmission
  Count timeouts, loss_probes, fast_retrans, slow_start_retrans, lost_retransmit, retrans_fail, spurious_rtos,
      dsack_recv, timeout_rehash;
  // path MTU discovery by probing (net.ipv4.tcp_mtu_probing)
  Count mtup_success, mtup_fail;
  // memory and queues of established sockets
  Count backlog_drop, rcvq_drop, zero_window_drop, prune_called, rcv_pruned, ofo_pruned, ofo_drop,
      rcv_collapsed, memory_pressures, memory_pressures_chrono, pfmemalloc_drop, wqueue_too_big,
      to_zero_window_adv, from_zero_window_adv, want_zero_window_adv;
  // segments refused by a check
  Count paws_active, paws_estab, paws_old_ack, paws_timewait, beyond_window, ts_ecr_rejected, challenge_ack,
      syn_challenge, min_ttl_drop, out_of_window_icmps, lock_dropped_icmps;
  // duplicate ACKs that were not sent (net.ipv4.tcp_invalid_ratelimit)
  Count ack_skipped_syn_recv, ack_skipped_paws, ack_skipped_seq, ack_skipped_fin_wait2, ack_skipped_time_wait,
      ack_skipped_challenge;
  // IPv4 packets of every protocol
  Count ip_reverse_path_filter, ip_in_discards, ip_in_no_routes, ip_out_discards, ip_out_no_routes,
      icmp_in_dest_unreachs;
  // TCP_MD5SIG and TCP-AO (RFC 2385, RFC 5925)
  Count md5_not_found, md5_unexpected, md5_failure, ao_required, ao_bad, ao_key_not_found, ao_good,
      ao_dropped_icmps;
  // keep-alive
  Count keep_alive;

  bool operator==(const TcpCounters&) const = default;
};
constexpr std::string_view collector_of(Type<TcpCounters>) { return "netstat"; }

enum class CounterUnit { events, milliseconds };

/// What everybody has to know about a counter: a new one is a member above and a row of the table.
struct TcpCounterSpec {
  std::string_view kernel_name;  ///< with its group: "TcpExt:ListenOverflows"
  std::string_view name;         ///< the member's: in JSON, and in the metric's name
  TcpCounter member;
  std::string_view help;  ///< a sentence or two: what it counts, what it means when it rises
  CounterUnit unit = CounterUnit::events;
};

/// Every counter, in the order in which they are shown.
std::span<const TcpCounterSpec> tcp_counter_table();

/// The kernel's word for it, without the group: "ListenOverflows".
std::string_view kernel_word(TcpCounter counter);

}  // namespace tcpdiag
