// SPDX-License-Identifier: Apache-2.0
#include "core/facts/tcp_counters.h"

#include <algorithm>

namespace tcpdiag {
namespace {

constexpr TcpCounterSpec kTable[] = {
    {"Tcp:ActiveOpens", "active_opens", &TcpCounters::active_opens,
     "Connections that this side opened: a connect() sent its SYN."},
    {"Tcp:PassiveOpens", "passive_opens", &TcpCounters::passive_opens,
     "Handshakes that a listener completed: the connection went into its accept queue. The rate of new "
     "incoming connections."},
    {"Tcp:AttemptFails", "attempt_fails", &TcpCounters::attempt_fails,
     "Handshakes that failed, in either direction: a connect() that was refused or timed out, or a half-open "
     "connection that its client reset."},
    {"Tcp:EstabResets", "estab_resets", &TcpCounters::estab_resets,
     "Connections in ESTABLISHED or CLOSE_WAIT that ended at once instead of by an orderly close: a RST "
     "came, or this side aborted."},
    {"Tcp:InSegs", "in_segs", &TcpCounters::in_segs, "Segments received, including faulty ones."},
    {"Tcp:OutSegs", "out_segs", &TcpCounters::out_segs, "Segments sent, not including retransmissions."},
    {"Tcp:RetransSegs", "retrans_segs", &TcpCounters::retrans_segs,
     "Segments sent again, including SYN and SYN-ACK. Its share of tcpdiag_tcp_out_segs_total is the usual "
     "measure of loss on the path."},
    {"Tcp:InErrs", "in_errs", &TcpCounters::in_errs,
     "Segments refused as faulty: bad checksum, bad header length, or a SYN in the middle of a connection."},
    {"Tcp:OutRsts", "out_rsts", &TcpCounters::out_rsts,
     "RSTs sent: to ports without a listener, to segments of unknown connections, and for connections that "
     "this side aborted."},
    {"Tcp:InCsumErrors", "in_csum_errors", &TcpCounters::in_csum_errors,
     "Segments dropped for a bad TCP checksum: corruption on the path, or a faulty network card or driver."},

    {"TcpExt:ListenOverflows", "listen_overflows", &TcpCounters::listen_overflows,
     "Times a SYN or the end of a handshake found a listener's accept queue full: the application accepts "
     "too slowly or its backlog is too small. Events, not connections: one waiting client causes several."},
    {"TcpExt:ListenDrops", "listen_drops", &TcpCounters::listen_drops,
     "SYNs and handshakes dropped at listeners for any reason: full accept queue (also in listen_overflows), "
     "full SYN queue without cookies, no memory or no route. What exceeds listen_overflows has a cause other "
     "than a full accept queue."},
    {"TcpExt:TCPReqQFullDrop", "req_q_full_drop", &TcpCounters::req_q_full_drop,
     "SYNs dropped because a listener's SYN queue was full and SYN cookies are off: more half-open "
     "connections than its backlog."},
    {"TcpExt:TCPReqQFullDoCookies", "req_q_full_do_cookies", &TcpCounters::req_q_full_do_cookies,
     "SYNs for which the kernel decided to use a cookie because a listener's SYN queue was full (or "
     "tcp_syncookies is 2): a burst larger than the backlog, or a SYN flood."},
    {"TcpExt:SyncookiesSent", "syncookies_sent", &TcpCounters::syncookies_sent,
     "SYN-ACKs sent with a cookie. Fewer than req_q_full_do_cookies when the accept queue was full as well."},
    {"TcpExt:SyncookiesRecv", "syncookies_received", &TcpCounters::syncookies_received,
     "Valid cookies that came back. Nearly as many as sent: real clients, so the backlog is too small; "
     "nearly none: a flood. A cookie that meets a full accept queue counts again with every segment."},
    {"TcpExt:SyncookiesFailed", "syncookies_failed", &TcpCounters::syncookies_failed,
     "ACKs with an invalid cookie within two minutes of the last cookie sent: late or forged ACKs. Not an "
     "attack by itself."},
    {"TcpExt:EmbryonicRsts", "embryonic_rsts", &TcpCounters::embryonic_rsts,
     "Half-open connections removed by a RST or by tcp_abort_on_overflow: port scans, health checks that do "
     "not finish the handshake, victims of forged SYNs."},
    {"TcpExt:TCPSynRetrans", "syn_retrans", &TcpCounters::syn_retrans,
     "SYNs and SYN-ACKs sent again: the other side, or a full queue there, does not answer handshakes."},
    {"TcpExt:TCPDeferAcceptDrop", "defer_accept_drop", &TcpCounters::defer_accept_drop,
     "Bare ACKs ignored by listeners with TCP_DEFER_ACCEPT, which wait for data. Normal."},
    {"TcpExt:TCPMigrateReqSuccess", "migrate_req_success", &TcpCounters::migrate_req_success,
     "Connections of a closing SO_REUSEPORT listener that moved to another member of its group."},
    {"TcpExt:TCPMigrateReqFailure", "migrate_req_failure", &TcpCounters::migrate_req_failure,
     "Connections of a closing SO_REUSEPORT listener that could not be moved and were lost."},
    {"TcpExt:TCPFastOpenListenOverflow", "fast_open_listen_overflow", &TcpCounters::fast_open_listen_overflow,
     "TCP Fast Open requests turned into ordinary handshakes because the listener's queue for them was "
     "full."},
    {"TcpExt:TCPFastOpenPassiveFail", "fast_open_passive_fail", &TcpCounters::fast_open_passive_fail,
     "TCP Fast Open SYNs that this side did not accept as such: an invalid cookie, mostly."},
    {"TcpExt:TCPFastOpenActiveFail", "fast_open_active_fail", &TcpCounters::fast_open_active_fail,
     "TCP Fast Open requests of this side whose data was not accepted, or that timed out: the connection "
     "went on as an ordinary one."},
    {"TcpExt:TCPFastOpenBlackhole", "fast_open_blackhole", &TcpCounters::fast_open_blackhole,
     "Times this side stopped using TCP Fast Open for a while because a middlebox seems to be dropping it."},

    {"TcpExt:TCPAbortOnData", "abort_on_data", &TcpCounters::abort_on_data,
     "Connections reset because of SO_LINGER with a timeout of 0, or because data came after close()."},
    {"TcpExt:TCPAbortOnClose", "abort_on_close", &TcpCounters::abort_on_close,
     "Connections reset because the application closed them with received data unread."},
    {"TcpExt:TCPAbortOnMemory", "abort_on_memory", &TcpCounters::abort_on_memory,
     "Closing connections reset because there were too many orphans (tcp_max_orphans) or TCP had no memory "
     "left (tcp_mem)."},
    {"TcpExt:TCPAbortOnTimeout", "abort_on_timeout", &TcpCounters::abort_on_timeout,
     "Connections given up after retransmissions, probes or keep-alives went unanswered: the peer or the "
     "path is gone."},
    {"TcpExt:TCPAbortOnLinger", "abort_on_linger", &TcpCounters::abort_on_linger,
     "Closing connections reset because the application set TCP_LINGER2 to a negative time."},
    {"TcpExt:TCPAbortFailed", "abort_failed", &TcpCounters::abort_failed,
     "RSTs that could not be built or sent, usually for lack of memory: the peer does not learn that its "
     "connection is gone."},

    {"TcpExt:TW", "tw", &TcpCounters::tw,
     "Sockets that went through TIME_WAIT, about the rate at which this side closes first. Newer kernels "
     "(6.18 was measured) count when a socket enters it, older ones when its timer ends."},
    {"TcpExt:TWRecycled", "tw_recycled", &TcpCounters::tw_recycled,
     "Sockets in TIME_WAIT that a connect() took over (tcp_tw_reuse)."},
    {"TcpExt:TWKilled", "tw_killed", &TcpCounters::tw_killed,
     "The same for sockets that the kernel keeps for only a few seconds: on newer kernels (6.18 was "
     "measured) FIN_WAIT2 sockets that no process holds where tcp_fin_timeout is small. Not a sign of "
     "trouble by itself."},
    {"TcpExt:TCPTimeWaitOverflow", "time_wait_overflow", &TcpCounters::time_wait_overflow,
     "Connections closed without TIME_WAIT because tcp_max_tw_buckets was reached or memory was short. The "
     "kernel logs nothing."},

    {"TcpExt:TCPTimeouts", "timeouts", &TcpCounters::timeouts,
     "Retransmission timers that expired, including those of handshakes: the peer was silent for a whole "
     "timeout. Hurts latency more than other retransmissions."},
    {"TcpExt:TCPLossProbes", "loss_probes", &TcpCounters::loss_probes,
     "Probes sent to find out whether the last segments of a burst were lost, before the timeout."},
    {"TcpExt:TCPFastRetrans", "fast_retrans", &TcpCounters::fast_retrans,
     "Segments sent again in fast recovery, without waiting for a timeout: ordinary loss."},
    {"TcpExt:TCPSlowStartRetrans", "slow_start_retrans", &TcpCounters::slow_start_retrans,
     "Segments sent again in slow start after a timeout."},
    {"TcpExt:TCPLostRetransmit", "lost_retransmit", &TcpCounters::lost_retransmit,
     "Retransmitted segments that were lost again: heavy loss or a policer."},
    {"TcpExt:TCPRetransFail", "retrans_fail", &TcpCounters::retrans_fail,
     "Retransmissions that this host could not send: full device queue, no memory, no route."},
    {"TcpExt:TCPSpuriousRTOs", "spurious_rtos", &TcpCounters::spurious_rtos,
     "Timeouts that proved unnecessary: the path was slow for a moment, nothing was lost."},
    {"TcpExt:TCPDSACKRecv", "dsack_recv", &TcpCounters::dsack_recv,
     "Reports from peers that they got a segment twice: what was sent again had only been delayed, not "
     "lost."},
    {"TcpExt:TcpTimeoutRehash", "timeout_rehash", &TcpCounters::timeout_rehash,
     "Times a timeout made this side change the hash of its flow, so that routers may send it along another "
     "path."},
    {"TcpExt:TCPMTUPSuccess", "mtup_success", &TcpCounters::mtup_success,
     "Probes of the path MTU (tcp_mtu_probing) that arrived: larger segments are sent from then on."},
    {"TcpExt:TCPMTUPFail", "mtup_fail", &TcpCounters::mtup_fail,
     "Probes of the path MTU (tcp_mtu_probing) that were lost: the path does not carry segments of that "
     "size."},

    {"TcpExt:TCPBacklogDrop", "backlog_drop", &TcpCounters::backlog_drop,
     "Segments dropped because its process had the connection locked and the socket's backlog, where "
     "segments wait meanwhile, was over the limit of its buffers. Nothing to do with a listener's backlog."},
    {"TcpExt:TCPRcvQDrop", "rcvq_drop", &TcpCounters::rcvq_drop,
     "Segments dropped because there was no memory for a receive queue: the application reads too slowly, or "
     "TCP is short of memory."},
    {"TcpExt:TCPZeroWindowDrop", "zero_window_drop", &TcpCounters::zero_window_drop,
     "Segments with data dropped because the receive window was closed: the application does not read and "
     "the peer sends anyway."},
    {"TcpExt:PruneCalled", "prune_called", &TcpCounters::prune_called,
     "Times a receive buffer was over its limit and the kernel squeezed it: the application reads too slowly "
     "or tcp_rmem is small."},
    {"TcpExt:RcvPruned", "rcv_pruned", &TcpCounters::rcv_pruned,
     "Times squeezing a receive buffer was not enough and the segment was dropped."},
    {"TcpExt:OfoPruned", "ofo_pruned", &TcpCounters::ofo_pruned,
     "Times out-of-order segments were thrown away to bring a receive buffer back within its limit; the peer "
     "must send them again."},
    {"TcpExt:TCPOFODrop", "ofo_drop", &TcpCounters::ofo_drop,
     "Out-of-order segments dropped because there was no memory for them."},
    {"TcpExt:TCPRcvCollapsed", "rcv_collapsed", &TcpCounters::rcv_collapsed,
     "Segments merged in a receive buffer to save memory: costs CPU, loses nothing."},
    {"TcpExt:TCPMemoryPressures", "memory_pressures", &TcpCounters::memory_pressures,
     "Times TCP's memory went over the pressure mark of tcp_mem, which makes buffers shrink. The memory is "
     "the whole machine's; the namespace is that of the socket that noticed."},
    {"TcpExt:TCPMemoryPressuresChrono", "memory_pressures_chrono", &TcpCounters::memory_pressures_chrono,
     "Time that TCP spent under memory pressure, added when the pressure ends. The namespace is that of the "
     "socket that noticed.",
     CounterUnit::milliseconds},
    {"TcpExt:PFMemallocDrop", "pfmemalloc_drop", &TcpCounters::pfmemalloc_drop,
     "Segments dropped because they were in the kernel's emergency memory: the machine is out of memory."},
    {"TcpExt:TCPWqueueTooBig", "wqueue_too_big", &TcpCounters::wqueue_too_big,
     "Times a send queue was refused further splitting because it holds too many small pieces: a very small "
     "SO_SNDBUF, or a peer that acknowledges maliciously."},
    {"TcpExt:TCPToZeroWindowAdv", "to_zero_window_adv", &TcpCounters::to_zero_window_adv,
     "Times this side closed its receive window: the application reads more slowly than the peer sends."},
    {"TcpExt:TCPFromZeroWindowAdv", "from_zero_window_adv", &TcpCounters::from_zero_window_adv,
     "Times this side opened its receive window again. Lags behind to_zero_window_adv while connections "
     "stand still."},
    {"TcpExt:TCPWantZeroWindowAdv", "want_zero_window_adv", &TcpCounters::want_zero_window_adv,
     "Times this side wanted to close its receive window but had already promised more."},

    {"TcpExt:PAWSActive", "paws_active", &TcpCounters::paws_active,
     "SYN-ACKs refused because they echo a timestamp that was not sent."},
    {"TcpExt:PAWSEstab", "paws_estab", &TcpCounters::paws_estab,
     "Segments of connections and handshakes refused because their timestamp went backwards (PAWS): clients "
     "behind one NAT address, or segments long delayed."},
    {"TcpExt:PAWSOldAck", "paws_old_ack", &TcpCounters::paws_old_ack,
     "Old pure ACKs with an older timestamp. Harmless; older kernels count them in paws_estab."},
    {"TcpExt:PAWSTimewait", "paws_timewait", &TcpCounters::paws_timewait,
     "Segments to sockets in TIME_WAIT refused because their timestamp went backwards."},
    {"TcpExt:BeyondWindow", "beyond_window", &TcpCounters::beyond_window,
     "Segments refused because they lie beyond the receive window: a peer that ignores the window, or a "
     "forger."},
    {"TcpExt:TSEcrRejected", "ts_ecr_rejected", &TcpCounters::ts_ecr_rejected,
     "Segments refused because they echo a timestamp that was not sent: forged, or changed by a middlebox."},
    {"TcpExt:TCPChallengeACK", "challenge_ack", &TcpCounters::challenge_ack,
     "Challenge ACKs sent in answer to a doubtful RST, SYN or ACK (RFC 5961): blind attacks, or peers that "
     "forgot a connection."},
    {"TcpExt:TCPSYNChallenge", "syn_challenge", &TcpCounters::syn_challenge,
     "Of them, those for a SYN within a connection: the peer has rebooted or reuses its ports too soon, or a "
     "blind attack."},
    {"TcpExt:TCPMinTTLDrop", "min_ttl_drop", &TcpCounters::min_ttl_drop,
     "Segments dropped because their TTL is below the socket's IP_MINTTL, as BGP uses it."},
    {"TcpExt:TCPACKSkippedSynRecv", "ack_skipped_syn_recv", &TcpCounters::ack_skipped_syn_recv,
     "SYN-ACKs to repeated SYNs and ACKs to invalid segments of half-open connections that were not sent "
     "because of tcp_invalid_ratelimit."},
    {"TcpExt:TCPACKSkippedPAWS", "ack_skipped_paws", &TcpCounters::ack_skipped_paws,
     "ACKs to segments with an old timestamp that were not sent because of tcp_invalid_ratelimit."},
    {"TcpExt:TCPACKSkippedSeq", "ack_skipped_seq", &TcpCounters::ack_skipped_seq,
     "ACKs to segments outside the window that were not sent because of tcp_invalid_ratelimit: two ends that "
     "disagree about the sequence numbers send such ACKs to each other."},
    {"TcpExt:TCPACKSkippedFinWait2", "ack_skipped_fin_wait2", &TcpCounters::ack_skipped_fin_wait2,
     "ACKs to invalid segments in FIN_WAIT2 that were not sent because of tcp_invalid_ratelimit."},
    {"TcpExt:TCPACKSkippedTimeWait", "ack_skipped_time_wait", &TcpCounters::ack_skipped_time_wait,
     "ACKs to invalid segments in TIME_WAIT that were not sent because of tcp_invalid_ratelimit."},
    {"TcpExt:TCPACKSkippedChallenge", "ack_skipped_challenge", &TcpCounters::ack_skipped_challenge,
     "Challenge ACKs that were not sent because of tcp_invalid_ratelimit."},
    {"TcpExt:OutOfWindowIcmps", "out_of_window_icmps", &TcpCounters::out_of_window_icmps,
     "ICMP errors ignored because the segment they quote is not within the window: late or forged."},
    {"TcpExt:LockDroppedIcmps", "lock_dropped_icmps", &TcpCounters::lock_dropped_icmps,
     "ICMP errors lost because a process held the socket's lock."},
    {"TcpExt:IPReversePathFilter", "ip_reverse_path_filter", &TcpCounters::ip_reverse_path_filter,
     "Packets, of UDP and others too, dropped by rp_filter: they came in through an interface through which "
     "no answer to their source would go out, as with asymmetric routes."},
    {"Ip:InDiscards", "ip_in_discards", &TcpCounters::ip_in_discards,
     "IPv4 packets that were received intact but dropped for lack of memory."},
    {"IpExt:InNoRoutes", "ip_in_no_routes", &TcpCounters::ip_in_no_routes,
     "IPv4 packets that this host would forward, but has no route for. A host that does not forward counts "
     "such packets elsewhere (Ip:InAddrErrors)."},
    {"Ip:OutDiscards", "ip_out_discards", &TcpCounters::ip_out_discards,
     "IPv4 packets of UDP, raw sockets and ICMP that could not be passed on: no memory, a full device queue, "
     "or a firewall that drops what this host sends. Those of TCP are not counted."},
    {"Ip:OutNoRoutes", "ip_out_no_routes", &TcpCounters::ip_out_no_routes,
     "IPv4 packets that could not be sent because there is no route to their destination."},
    {"Icmp:InDestUnreachs", "icmp_in_dest_unreachs", &TcpCounters::icmp_in_dest_unreachs,
     "ICMPv4 messages received saying that a destination cannot be reached: no route, a filter that rejects, "
     "a closed UDP port, or a packet that is too large for the path."},

    {"TcpExt:TCPMD5NotFound", "md5_not_found", &TcpCounters::md5_not_found,
     "Segments dropped because they have no MD5 signature where one is configured: the peer has no key."},
    {"TcpExt:TCPMD5Unexpected", "md5_unexpected", &TcpCounters::md5_unexpected,
     "Segments dropped because they have an MD5 signature where none is configured: this side has no key."},
    {"TcpExt:TCPMD5Failure", "md5_failure", &TcpCounters::md5_failure,
     "Segments dropped for a wrong MD5 signature: the keys differ."},
    {"TcpExt:TCPAORequired", "ao_required", &TcpCounters::ao_required,
     "Segments dropped because they have no TCP-AO signature where one is required."},
    {"TcpExt:TCPAOBad", "ao_bad", &TcpCounters::ao_bad,
     "Segments dropped for a wrong TCP-AO signature: the keys differ."},
    {"TcpExt:TCPAOKeyNotFound", "ao_key_not_found", &TcpCounters::ao_key_not_found,
     "Segments dropped because they name a TCP-AO key that this side does not have."},
    {"TcpExt:TCPAOGood", "ao_good", &TcpCounters::ao_good, "Segments whose TCP-AO signature was right."},
    {"TcpExt:TCPAODroppedIcmps", "ao_dropped_icmps", &TcpCounters::ao_dropped_icmps,
     "ICMP errors ignored because the connection uses TCP-AO."},

    {"TcpExt:TCPKeepAlive", "keep_alive", &TcpCounters::keep_alive,
     "Keep-alive probes sent on idle connections."},
};

}  // namespace

std::span<const TcpCounterSpec> tcp_counter_table() { return kTable; }

std::string_view kernel_word(TcpCounter counter) {
  const auto* spec = std::ranges::find(kTable, counter, &TcpCounterSpec::member);
  const auto& name = spec->kernel_name;
  return name.substr(name.find(':') + 1);
}

}  // namespace tcpdiag
