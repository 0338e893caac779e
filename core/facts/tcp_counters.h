// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/section.h"

namespace tcpdiag {

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

}  // namespace tcpdiag
