// SPDX-License-Identifier: Apache-2.0
// The kernel's counters that rules rest on, with the kernel's words (include/uapi/linux/snmp.h).
#pragma once

#include <algorithm>

#include "core/facts/tcp_counters.h"
#include "core/saturating.h"
#include "diagnosis/window.h"

namespace tcpdiag {

inline constexpr Counter kListenOverflows{"ListenOverflows", &TcpCounters::listen_overflows};
inline constexpr Counter kListenDrops{"ListenDrops", &TcpCounters::listen_drops};
inline constexpr Counter kReqQFullDrop{"TCPReqQFullDrop", &TcpCounters::req_q_full_drop};
inline constexpr Counter kReqQFullDoCookies{"TCPReqQFullDoCookies", &TcpCounters::req_q_full_do_cookies};
inline constexpr Counter kSyncookiesSent{"SyncookiesSent", &TcpCounters::syncookies_sent};
inline constexpr Counter kSyncookiesRecv{"SyncookiesRecv", &TcpCounters::syncookies_received};
inline constexpr Counter kEmbryonicRsts{"EmbryonicRsts", &TcpCounters::embryonic_rsts};
inline constexpr Counter kDeferAcceptDrop{"TCPDeferAcceptDrop", &TcpCounters::defer_accept_drop};
inline constexpr Counter kPassiveOpens{"PassiveOpens", &TcpCounters::passive_opens};
inline constexpr Counter kActiveOpens{"ActiveOpens", &TcpCounters::active_opens};
inline constexpr Counter kOutRsts{"OutRsts", &TcpCounters::out_rsts};
inline constexpr Counter kEstabResets{"EstabResets", &TcpCounters::estab_resets};
inline constexpr Counter kSynRetrans{"TCPSynRetrans", &TcpCounters::syn_retrans};
inline constexpr Counter kAttemptFails{"AttemptFails", &TcpCounters::attempt_fails};
inline constexpr Counter kOutSegs{"OutSegs", &TcpCounters::out_segs};
inline constexpr Counter kRetransSegs{"RetransSegs", &TcpCounters::retrans_segs};
inline constexpr Counter kTimeouts{"TCPTimeouts", &TcpCounters::timeouts};
inline constexpr Counter kReversePathFilter{"IPReversePathFilter", &TcpCounters::ip_reverse_path_filter};
inline constexpr Counter kAbortOnClose{"TCPAbortOnClose", &TcpCounters::abort_on_close};
inline constexpr Counter kAbortOnData{"TCPAbortOnData", &TcpCounters::abort_on_data};
inline constexpr Counter kAbortOnTimeout{"TCPAbortOnTimeout", &TcpCounters::abort_on_timeout};
inline constexpr Counter kAbortOnMemory{"TCPAbortOnMemory", &TcpCounters::abort_on_memory};
inline constexpr Counter kTimeWaitOverflow{"TCPTimeWaitOverflow", &TcpCounters::time_wait_overflow};
inline constexpr Counter kMemoryPressures{"TCPMemoryPressures", &TcpCounters::memory_pressures};

/// By how much a counter rose from one reading to another; empty: one of them does not say, or it went
/// backwards.
inline Count increase_of(const Count& was, const Count& is) {
  if (!was || !is || *is < *was) return std::nullopt;
  return *is - *was;
}

/// Of the resets that were sent, those that no program asked for by the way it closed; empty: one of the
/// numbers is not known.
inline constexpr std::string_view kKernelResets = "OutRsts less TCPAbortOnClose and TCPAbortOnData";
inline Count kernel_resets(const Count& sent, const Count& unread, const Count& lingering) {
  if (!sent || !unread || !lingering) return std::nullopt;
  return *sent - std::min(*sent, saturating_add(*unread, *lingering));
}

}  // namespace tcpdiag
