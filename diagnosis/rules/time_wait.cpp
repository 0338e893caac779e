// SPDX-License-Identifier: Apache-2.0
// What is left of connections that nobody holds any more: TIME_WAIT, FIN_WAIT2 and orphans.
#include <algorithm>
#include <array>

#include "core/ephemeral_ports.h"
#include "core/facts/socket_usage.h"
#include "diagnosis/counters.h"
#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/wanted_settings.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kMaxBuckets = "net.ipv4.tcp_max_tw_buckets";
constexpr std::string_view kMaxOrphans = "net.ipv4.tcp_max_orphans";
// Two dumps in a row, or some readings of sockstat.
constexpr std::chrono::seconds kLasts{3};

Verdict time_wait_server_high(const Window& window, const Thresholds& t) {
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  const auto settings = window.latest(&NetnsView::settings);
  if (!settings) return Verdict::unknown(settings.error());
  const auto ports = ephemeral_ports(**settings);
  if (!ports) return Verdict::unknown({Errc::missing, "net.ipv4.ip_local_port_range: not known"});
  std::vector<Facts> found;
  for (const auto& row : (*connections)->server) {
    const double time_wait = row.count(TcpState::time_wait);
    if (time_wait == 0 || time_wait < t.time_wait_high * static_cast<double>(*ports)) continue;
    Facts facts{.subject = port_subject(window, row.port)};
    add_reading(facts, "connections of the port in TIME_WAIT", "time_wait", time_wait, "connections");
    if (const auto buckets = window.setting(kMaxBuckets)) facts.values["buckets"] = std::to_string(*buckets);
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found));
}

Verdict time_wait_bucket_overflow(const Window& window, const Thresholds& t) {
  const auto overflows = window.increase(&TcpCounters::time_wait_overflow);
  if (!overflows) return Verdict::unknown(overflows.error());
  if (*overflows < t.time_wait_overflow_min) return Verdict::clear();
  Facts facts;
  add_increase(facts, window, &TcpCounters::time_wait_overflow, "overflows", *overflows, "events");
  std::optional<std::uint64_t> most;  // now it may be over
  for (const auto& reading : window.readings(&NetnsView::sockets))
    if (reading.value->time_wait) most = std::max(most.value_or(0), *reading.value->time_wait);
  if (most)
    add_increase(facts, window, "sockets in TIME_WAIT (sockstat tw), peak", "time_wait", *most, "sockets");
  if (const auto buckets = window.setting(kMaxBuckets)) {
    facts.bites = Bites{.limit = std::string(kMaxBuckets), .value = static_cast<double>(*buckets)};
    facts.values["buckets"] = std::to_string(*buckets);
    facts.values["new_buckets"] = std::to_string(wanted_time_wait_buckets(window, *buckets));
  }
  return Verdict::found({facts});
}

struct FinWait2 {
  std::uint64_t orphaned = 0;
  const PortConnections* busiest = nullptr;
  bool server = false;
};

FinWait2 fin_wait2_of(const Connections& connections) {
  FinWait2 result{.orphaned = connections.client_other.fin_wait2_orphaned};
  const auto add = [&](const std::vector<PortConnections>& rows, bool server) {
    for (const auto& row : rows) {
      result.orphaned += row.fin_wait2_orphaned;
      if (row.fin_wait2_orphaned == 0) continue;
      if (result.busiest != nullptr && row.fin_wait2_orphaned <= result.busiest->fin_wait2_orphaned) continue;
      result.busiest = &row;
      result.server = server;
    }
  };
  add(connections.server, true);
  add(connections.client, false);
  return result;
}

// Up to 60 s of tcp_fin_timeout they are kept in the form of TIME_WAIT sockets and share their limit; for the
// time beyond that they are orphans.
Result<Bites> fin_wait2_limit(const Window& window) {
  constexpr std::int64_t kSmallFormSeconds = 60;
  const auto timeout = window.setting("net.ipv4.tcp_fin_timeout");
  if (!timeout) return tl::unexpected<Error>(timeout.error());
  const auto name = *timeout > kSmallFormSeconds ? kMaxOrphans : kMaxBuckets;
  return window.setting(name).map([&](std::int64_t limit) {
    return Bites{.limit = std::string(name), .value = static_cast<double>(limit)};
  });
}

Verdict fin_wait2_high(const Window& window, const Thresholds& t) {
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  const auto limit = fin_wait2_limit(window);
  if (!limit) return Verdict::unknown(limit.error());
  const auto many = std::max(static_cast<double>(t.fin_wait2_min), t.fin_wait2_high * limit->value);
  const auto lasted = held_for(window.readings(&NetnsView::connections), [&](const Connections& then) {
    return static_cast<double>(fin_wait2_of(then).orphaned) >= many;
  });
  if (!lasted || *lasted < kLasts) return Verdict::clear();
  const auto now = fin_wait2_of(**connections);
  Facts facts{.bites = *limit};
  add_reading(facts, "orphaned connections in FIN_WAIT2", "orphaned", now.orphaned, "connections");
  facts.values["limit_name"] = limit->limit;
  facts.values["limit"] = number_text(limit->value);
  facts.values["new_limit"] = number_text(limit->value * 2);
  if (const auto timeout = window.setting("net.ipv4.tcp_fin_timeout")) {
    facts.values["timeout"] = std::to_string(*timeout);
    if (*timeout > 20) facts.values["new_timeout"] = std::to_string(std::max<std::int64_t>(15, *timeout / 3));
  }
  if (now.busiest != nullptr) {
    facts.values["most"] = number_text(now.busiest->fin_wait2_orphaned);
    facts.values[now.server ? ValueName("local_port") : ValueName("remote_port")] =
        std::to_string(now.busiest->port);
  }
  return Verdict::found({facts});
}

Verdict orphans_high(const Window& window, const Thresholds& t) {
  const auto usage = window.latest(&NetnsView::sockets);
  if (!usage) return Verdict::unknown(usage.error());
  if (!(*usage)->orphans) return Verdict::unknown({Errc::missing, "sockstat: orphan: not in this kernel"});
  const auto max = window.setting(kMaxOrphans);
  // In a container's namespace the machine's limit does not show.
  if (!max) return max.error().code == Errc::missing ? Verdict::clear() : Verdict::unknown(max.error());
  const auto most = static_cast<double>(*max);
  const auto lasted = held_for(window.readings(&NetnsView::sockets), [&](const SocketUsage& then) {
    return then.orphans && static_cast<double>(*then.orphans) >= t.orphans_high * most;
  });
  if (!lasted || *lasted < kLasts) return Verdict::clear();
  const auto orphans = static_cast<double>(*(*usage)->orphans);
  Facts facts{.subject = {.kind = SubjectKind::host},
              .bites = Bites{.limit = std::string(kMaxOrphans), .value = most}};
  add_reading(facts, "orphans (sockstat)", "orphans", orphans, "sockets");
  facts.values["max"] = number_text(most);
  facts.values["share"] = percent_text(orphans / most);
  facts.values["new_max"] = number_text(most * 2);
  if (const auto aborted = window.increase(&TcpCounters::abort_on_memory); aborted && *aborted > 0) {
    facts.severity = Severity::critical;
    add_increase(facts, window, &TcpCounters::abort_on_memory, "aborted", *aborted, "resets");
  }
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "Closing";

constexpr std::string_view kNotFinTimeout =
    "Lowering net.ipv4.tcp_fin_timeout: TIME_WAIT always lasts 60 s; that setting is for orphaned FIN_WAIT2.";
constexpr std::string_view kNotRecycle = "net.ipv4.tcp_tw_recycle: it was removed in Linux 4.12.";

constexpr auto kTimeWaitAdvice = std::to_array<AdviceText>({
    {"There is nothing to do.", "",
     "Each of them goes away after 60 s and takes a few hundred bytes until "
     "then.",
     ""},
    {"If you want fewer, keep connections alive, or let the client close first.", "",
     "Fewer connections are closed by this end.",
     "TIME_WAIT is then on the client, where each does take a port."},
});
constexpr std::string_view kNotFewerBuckets =
    "Lowering net.ipv4.tcp_max_tw_buckets: connections then close without TIME_WAIT, and a late segment can "
    "end up in a new one.";
constexpr std::string_view kTimeWaitNot[] = {
    "Widening net.ipv4.ip_local_port_range: connections to a listening port use no ephemeral port here.",
    "net.ipv4.tcp_tw_reuse: it helps connect() only, not a server that accepts.", kNotFinTimeout,
    kNotFewerBuckets, kNotRecycle};

constexpr auto kBucketAdvice = std::to_array<AdviceText>({
    {"Raise net.ipv4.tcp_max_tw_buckets[, now {buckets}].",
     "sysctl -w net.ipv4.tcp_max_tw_buckets={new_buckets}",
     "Connections go through TIME_WAIT again, which keeps late segments out of new ones.",
     "A few hundred bytes of kernel memory for each."},
    {"Make it permanent, or remove the line that lowered it.",
     "grep -rs tcp_max_tw_buckets /etc/sysctl.conf /etc/sysctl.d /usr/lib/sysctl.d /run/sysctl.d",
     "Shows which file sets it.", ""},
    {"If there are far fewer than the limit, the kernel could not allocate them: look at its memory.",
     "slabtop -o | head -n 20", "Shows what the kernel uses memory for.", ""},
});
constexpr std::string_view kBucketNot[] = {
    kNotFinTimeout, kNotRecycle,
    "Waiting for a line in the kernel log: there has been none about this since Linux 3.2."};

constexpr auto kFinWait2Advice = std::to_array<AdviceText>({
    {"Look at the other end: it has received this host's FIN but does not close its side. The same "
     "connections are in CLOSE_WAIT there.",
     "ss -tno state fin-wait-2[ '( sport = :{local_port} )'][ '( dport = :{remote_port} )'] | head -n 20",
     "Shows the peers, and how much longer each is kept.", ""},
    {"Keep them for a shorter time.", "sysctl -w net.ipv4.tcp_fin_timeout={new_timeout}",
     "Each goes away after {new_timeout} s instead of {timeout} s.",
     "A slow peer that still sends after that gets a reset."},
    {"Raise their limit, {limit_name}.", "sysctl -w {limit_name}={new_limit}",
     "It takes longer before connections are closed without waiting for the peer.",
     "Kernel memory for each of them."},
});
constexpr std::string_view kFinWait2Not[] = {
    "net.ipv4.tcp_tw_reuse: it is for TIME_WAIT, not for FIN_WAIT2.",
    "net.ipv4.tcp_keepalive_time: a connection that no process holds is not probed."};

constexpr auto kOrphanAdvice = std::to_array<AdviceText>({
    {"See what they are waiting for: peers that acknowledge nothing, or do not close.",
     "ss -tano state fin-wait-1 state last-ack state closing | head -n 20",
     "Connections whose Send-Q is not 0 still have data that the peer does not take.", ""},
    {"Raise net.ipv4.tcp_max_orphans, now {max}.", "sysctl -w net.ipv4.tcp_max_orphans={new_max}",
     "Connections that are being closed are not reset.",
     "Up to 64 KiB of kernel memory for each orphan; a flood of them then takes that much more."},
    {"Give up sooner on peers that do not answer.", "sysctl -w net.ipv4.tcp_orphan_retries=3",
     "An orphan whose peer is gone lasts seconds instead of minutes.",
     "The last data for a peer on a bad line may not arrive."},
});
constexpr std::string_view kOrphanNot[] = {
    "Anything about TIME_WAIT: a connection in TIME_WAIT is not an orphan.",
    "Waiting until the limit is reached: the kernel counts an orphan that makes no progress up to four "
    "times, so the limit can bite at a quarter of it."};
constexpr std::string_view kOrphanConsequences[] = {"a \"too many orphaned sockets\" line in the kernel log"};

constexpr Rule kRules[] = {
    {.info = {.id = "time-wait-server-high",
              .family = kFamily,
              .severity = Severity::info,
              .title = "Many server connections in TIME_WAIT",
              .true_when = "The connections of a service port in TIME_WAIT are at least {t.time_wait_high} "
                           "of the number of ephemeral ports.",
              .clients_see = "Nothing.",
              .summary = "{time_wait} connections of {listener}[ ({owner})] are in TIME_WAIT because this "
                         "end closes first. That is harmless: they use no ephemeral port here and go away "
                         "after 60 s[; the kernel keeps up to {buckets} of them].",
              .advice = kTimeWaitAdvice,
              .not_helping = kTimeWaitNot,
              .reads = "sock_diag, net.ipv4.ip_local_port_range"},
     .evaluate = time_wait_server_high},
    {.info = {.id = "time-wait-bucket-overflow",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "No room for TIME_WAIT",
              .true_when = "TCPTimeWaitOverflow rises.",
              .clients_see =
                  "Mostly nothing; now and then a reset, or data of an old connection in a new one.",
              .summary = "{overflows} connections were closed without TIME_WAIT in {window} because there "
                         "was no room for it[: up to {time_wait} were in TIME_WAIT][ and "
                         "net.ipv4.tcp_max_tw_buckets allows {buckets}].",
              .advice = kBucketAdvice,
              .not_helping = kBucketNot,
              .reads = "/proc/net/netstat"},
     .evaluate = time_wait_bucket_overflow},
    {.info =
         {.id = "fin-wait2-high",
          .family = kFamily,
          .severity = Severity::warning,
          .title = "Peers do not close their side",
          .true_when = "Over two dumps of the socket table, FIN_WAIT2 connections that no process holds are "
                       "at least {t.fin_wait2_min} and at least {t.fin_wait2_high} of their limit: "
                       "net.ipv4.tcp_max_tw_buckets, or net.ipv4.tcp_max_orphans if net.ipv4.tcp_fin_timeout "
                       "is above 60 s.",
          .clients_see = "Nothing yet. At the limit connections are closed without waiting for the peer.",
          .summary =
              "{orphaned} connections that this host has closed wait in FIN_WAIT2 because the other end does "
              "not close[; {most} of them are on port {local_port}][; {most} of them go to port "
              "{remote_port}]. Their limit is {limit} ({limit_name})[ and each is kept for {timeout} s].",
          .advice = kFinWait2Advice,
          .not_helping = kFinWait2Not,
          .reads =
              "sock_diag, net.ipv4.tcp_fin_timeout, net.ipv4.tcp_max_tw_buckets, net.ipv4.tcp_max_orphans"},
     .evaluate = fin_wait2_high},
    {.info = {.id = "orphans-high",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Many closed connections that are not finished yet",
              .true_when = "For some seconds the machine's orphaned sockets are at least {t.orphans_high} of "
                           "net.ipv4.tcp_max_orphans; critical when TCPAbortOnMemory rises with it.",
              .clients_see = "When the limit bites, connections that are being closed are reset: the end of "
                             "a response is missing.",
              .summary = "{orphans} sockets are closed by their process but not yet by the network: {share} "
                         "of net.ipv4.tcp_max_orphans ({max}), which bites from a quarter up[; {aborted} "
                         "{aborted:connection was|connections were} reset because of it in {window}].",
              .advice = kOrphanAdvice,
              .not_helping = kOrphanNot,
              .consequences = kOrphanConsequences,
              .reads = "/proc/net/sockstat, net.ipv4.tcp_max_orphans"},
     .scope = RuleScope::machine,
     .evaluate = orphans_high},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> time_wait_rules() { return kRules; }

}  // namespace tcpdiag
