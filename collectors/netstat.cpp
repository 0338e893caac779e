// SPDX-License-Identifier: Apache-2.0
#include "collectors/netstat.h"

#include <string>
#include <utility>

#include "core/text.h"

namespace tcpdiag {
namespace {

// Kernel name -> our field. A new counter is one row here, one member in TcpCounters, one row in the metric
// catalogue.
// clang-format off
constexpr TcpCounterField kFields[] = {
    {"Tcp:ActiveOpens", &TcpCounters::active_opens},
    {"Tcp:PassiveOpens", &TcpCounters::passive_opens},
    {"Tcp:AttemptFails", &TcpCounters::attempt_fails},
    {"Tcp:EstabResets", &TcpCounters::estab_resets},
    {"Tcp:InSegs", &TcpCounters::in_segs},
    {"Tcp:OutSegs", &TcpCounters::out_segs},
    {"Tcp:RetransSegs", &TcpCounters::retrans_segs},
    {"Tcp:InErrs", &TcpCounters::in_errs},
    {"Tcp:OutRsts", &TcpCounters::out_rsts},
    {"Tcp:InCsumErrors", &TcpCounters::in_csum_errors},
    {"TcpExt:ListenOverflows", &TcpCounters::listen_overflows},
    {"TcpExt:ListenDrops", &TcpCounters::listen_drops},
    {"TcpExt:TCPReqQFullDrop", &TcpCounters::req_q_full_drop},
    {"TcpExt:TCPReqQFullDoCookies", &TcpCounters::req_q_full_do_cookies},
    {"TcpExt:SyncookiesSent", &TcpCounters::syncookies_sent},
    {"TcpExt:SyncookiesRecv", &TcpCounters::syncookies_received},
    {"TcpExt:SyncookiesFailed", &TcpCounters::syncookies_failed},
    {"TcpExt:EmbryonicRsts", &TcpCounters::embryonic_rsts},
    {"TcpExt:TCPSynRetrans", &TcpCounters::syn_retrans},
    {"TcpExt:TCPDeferAcceptDrop", &TcpCounters::defer_accept_drop},
    {"TcpExt:TCPMigrateReqSuccess", &TcpCounters::migrate_req_success},
    {"TcpExt:TCPMigrateReqFailure", &TcpCounters::migrate_req_failure},
    {"TcpExt:TCPFastOpenListenOverflow", &TcpCounters::fast_open_listen_overflow},
    {"TcpExt:TCPAbortOnData", &TcpCounters::abort_on_data},
    {"TcpExt:TCPAbortOnClose", &TcpCounters::abort_on_close},
    {"TcpExt:TCPAbortOnMemory", &TcpCounters::abort_on_memory},
    {"TcpExt:TCPAbortOnTimeout", &TcpCounters::abort_on_timeout},
    {"TcpExt:TCPAbortOnLinger", &TcpCounters::abort_on_linger},
    {"TcpExt:TCPAbortFailed", &TcpCounters::abort_failed},
    {"TcpExt:TW", &TcpCounters::tw},
    {"TcpExt:TWRecycled", &TcpCounters::tw_recycled},
    {"TcpExt:TWKilled", &TcpCounters::tw_killed},
    {"TcpExt:TCPTimeWaitOverflow", &TcpCounters::time_wait_overflow},
    {"TcpExt:TCPTimeouts", &TcpCounters::timeouts},
    {"TcpExt:TCPLossProbes", &TcpCounters::loss_probes},
    {"TcpExt:TCPFastRetrans", &TcpCounters::fast_retrans},
    {"TcpExt:TCPSlowStartRetrans", &TcpCounters::slow_start_retrans},
    {"TcpExt:TCPLostRetransmit", &TcpCounters::lost_retransmit},
    {"TcpExt:TCPRetransFail", &TcpCounters::retrans_fail},
    {"TcpExt:TCPSpuriousRTOs", &TcpCounters::spurious_rtos},
    {"TcpExt:TCPBacklogDrop", &TcpCounters::backlog_drop},
    {"TcpExt:TCPRcvQDrop", &TcpCounters::rcvq_drop},
    {"TcpExt:TCPZeroWindowDrop", &TcpCounters::zero_window_drop},
    {"TcpExt:PruneCalled", &TcpCounters::prune_called},
    {"TcpExt:RcvPruned", &TcpCounters::rcv_pruned},
    {"TcpExt:OfoPruned", &TcpCounters::ofo_pruned},
    {"TcpExt:TCPOFODrop", &TcpCounters::ofo_drop},
    {"TcpExt:TCPRcvCollapsed", &TcpCounters::rcv_collapsed},
    {"TcpExt:TCPMemoryPressures", &TcpCounters::memory_pressures},
    {"TcpExt:TCPMemoryPressuresChrono", &TcpCounters::memory_pressures_chrono},
    {"TcpExt:PFMemallocDrop", &TcpCounters::pfmemalloc_drop},
    {"TcpExt:TCPWqueueTooBig", &TcpCounters::wqueue_too_big},
    {"TcpExt:TCPToZeroWindowAdv", &TcpCounters::to_zero_window_adv},
    {"TcpExt:TCPFromZeroWindowAdv", &TcpCounters::from_zero_window_adv},
    {"TcpExt:TCPWantZeroWindowAdv", &TcpCounters::want_zero_window_adv},
    {"TcpExt:PAWSActive", &TcpCounters::paws_active},
    {"TcpExt:PAWSEstab", &TcpCounters::paws_estab},
    {"TcpExt:PAWSOldAck", &TcpCounters::paws_old_ack},
    {"TcpExt:PAWSTimewait", &TcpCounters::paws_timewait},
    {"TcpExt:BeyondWindow", &TcpCounters::beyond_window},
    {"TcpExt:TSEcrRejected", &TcpCounters::ts_ecr_rejected},
    {"TcpExt:TCPChallengeACK", &TcpCounters::challenge_ack},
    {"TcpExt:TCPSYNChallenge", &TcpCounters::syn_challenge},
    {"TcpExt:TCPMinTTLDrop", &TcpCounters::min_ttl_drop},
    {"TcpExt:OutOfWindowIcmps", &TcpCounters::out_of_window_icmps},
    {"TcpExt:LockDroppedIcmps", &TcpCounters::lock_dropped_icmps},
    {"TcpExt:TCPMD5NotFound", &TcpCounters::md5_not_found},
    {"TcpExt:TCPMD5Unexpected", &TcpCounters::md5_unexpected},
    {"TcpExt:TCPMD5Failure", &TcpCounters::md5_failure},
    {"TcpExt:TCPAORequired", &TcpCounters::ao_required},
    {"TcpExt:TCPAOBad", &TcpCounters::ao_bad},
    {"TcpExt:TCPAOKeyNotFound", &TcpCounters::ao_key_not_found},
    {"TcpExt:TCPAOGood", &TcpCounters::ao_good},
    {"TcpExt:TCPAODroppedIcmps", &TcpCounters::ao_dropped_icmps},
    {"TcpExt:IPReversePathFilter", &TcpCounters::ip_reverse_path_filter},
    {"TcpExt:TCPKeepAlive", &TcpCounters::keep_alive},
};
// clang-format on

bool names(const TcpCounterField& field, std::string_view group, std::string_view name) {
  const auto& key = field.kernel_name;
  return key.size() == group.size() + name.size() && key.starts_with(group) && key.ends_with(name);
}

void store(std::string_view group, std::string_view name, std::uint64_t value, TcpCounters& counters) {
  for (const auto& field : kFields) {
    if (names(field, group, name)) {
      counters.*field.member = value;
      return;
    }
  }
}

bool is_ours(std::string_view group) { return group == "Tcp:" || group == "TcpExt:"; }

bool is_one_line_of_names(std::string_view text) {
  return text.starts_with("TcpExt: ") && text.find('\n') == text.size() - 1;
}

Result<void> parse_into(std::string_view where, std::string_view text, TcpCounters& counters) {
  const auto malformed = [&](std::string_view what) {
    return unexpected(Errc::malformed, std::string(where) + ": " + std::string(what));
  };
  if (!text.ends_with('\n')) return malformed("cut off: no newline at its end");
  bool found = false;
  while (!text.empty()) {  // each group is two lines: names, then values
    auto names_left = next_line(text);
    auto values_left = next_line(text);
    const auto group = next_word(names_left);
    if (group.empty() || group != next_word(values_left))
      return malformed("a line of names without its values");
    if (!is_ours(group)) continue;
    found = true;
    for (auto name = next_word(names_left); !name.empty(); name = next_word(names_left)) {
      const auto word = next_word(values_left);
      if (group == "Tcp:" && name == "MaxConn") continue;  // -1: no limit
      const auto value = to_number<std::uint64_t>(word);
      if (!value) return malformed("bad value '" + std::string(word) + "' for " + std::string(name));
      store(group, name, *value, counters);
    }
    if (!next_word(values_left).empty()) return malformed("more values than names in " + std::string(group));
  }
  if (!found) return malformed("no TCP counters in it");
  return {};
}

}  // namespace

std::span<const TcpCounterField> tcp_counter_fields() { return kFields; }

Result<TcpCounters> parse_tcp_counters(std::string_view snmp, std::string_view netstat) {
  TcpCounters counters;
  if (auto parsed = parse_into("/proc/net/snmp", snmp, counters); !parsed)
    return tl::unexpected<Error>(parsed.error());
  if (is_one_line_of_names(netstat)) return counters;
  if (auto parsed = parse_into("/proc/net/netstat", netstat, counters); !parsed)
    return tl::unexpected<Error>(parsed.error());
  return counters;
}

Result<TcpCounters> read_tcp_counters(Source& source) {
  const auto snmp = source.read("/proc/net/snmp");
  if (!snmp) return tl::unexpected<Error>(snmp.error());
  const auto netstat = source.read("/proc/net/netstat");
  if (!netstat) return tl::unexpected<Error>(netstat.error());
  return parse_tcp_counters(*snmp, *netstat);
}

Result<TcpCounters> TcpCountersReader::operator()(const Reading& reading) {
  auto counters = read_tcp_counters(reading.source);
  const auto generation = reading.source.generation();
  if (generation != std::exchange(generation_, generation)) counters_.clear();  // another namespace's
  if (!counters) return counters;
  counters_.resize(std::size(kFields));
  for (std::size_t i = 0; i < std::size(kFields); ++i)
    if (auto& value = *counters.*kFields[i].member) value = counters_[i].advance(*value);
  return counters;
}

}  // namespace tcpdiag
