// SPDX-License-Identifier: Apache-2.0
// The queue of half-open connections: a burst larger than the backlog, or a flood. Its limit is the listen
// backlog (Linux 4.4 and later); net.ipv4.tcp_max_syn_backlog matters only while SYN cookies are off.
#include <algorithm>
#include <array>

#include "core/saturating.h"
#include "diagnosis/counters.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/wanted_settings.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// A cookie comes back after a round trip: those of the last moments say nothing yet.
constexpr std::chrono::seconds kRoundTrip{2};
constexpr std::chrono::seconds kCookieWindow{30};
// When cookies have been sent for so long, those on their way no longer weigh.
constexpr std::chrono::seconds kSettled{15};

struct Cookies {
  std::uint64_t sent = 0, received = 0;
  // Of them, until kRoundTrip ago: what was sent then had time to come back.
  std::uint64_t sent_before = 0, received_before = 0;
  bool settled = false;

  // Of those sent before at least what came back by then, and at most what has come back by now.
  [[nodiscard]] double least_share() const { return share_of(received_before); }
  [[nodiscard]] double most_share() const { return share_of(received); }

 private:
  [[nodiscard]] double share_of(std::uint64_t back) const {
    return sent_before == 0 ? 0 : static_cast<double>(back) / static_cast<double>(sent_before);
  }
};

Result<Cookies> cookies_in(const Window& window) {
  const auto sent = window.increase(&TcpCounters::syncookies_sent);
  if (!sent) return tl::unexpected<Error>(sent.error());
  const auto received = window.increase(&TcpCounters::syncookies_received);
  if (!received) return tl::unexpected<Error>(received.error());
  const auto sent_lately = window.last(kRoundTrip).increase(&TcpCounters::syncookies_sent);
  if (!sent_lately) return tl::unexpected<Error>(sent_lately.error());
  const auto received_lately = window.last(kRoundTrip).increase(&TcpCounters::syncookies_received);
  if (!received_lately) return tl::unexpected<Error>(received_lately.error());
  const auto since_settled = window.last(kSettled).increase(&TcpCounters::syncookies_sent);
  return Cookies{.sent = *sent,
                 .received = *received,
                 .sent_before = *sent - *sent_lately,
                 .received_before = *received - *received_lately,
                 .settled = since_settled && *since_settled < *sent};
}

// SYNs that came again for connections that are half-open already: a listener counts each among its drops,
// the namespace in no counter of drops. Forged addresses do not ask again; clients without an answer do.
std::uint64_t syns_again(const Window& window) {
  const auto readings = window.readings(&NetnsView::listeners);
  if (readings.empty()) return 0;
  std::uint64_t drops = 0;
  for (const auto& listener : readings.back().value->listeners) {
    const Listener* first = nullptr;  // it may have begun to listen within the window
    for (auto reading = readings.begin(); first == nullptr && reading != readings.end(); ++reading)
      first = find_listener(*reading->value, listener.endpoint);
    if (first != nullptr)
      drops = saturating_add(drops, increase_of(first->drops, listener.drops).value_or(0));
  }
  std::uint64_t others = 0;
  for (const auto& counter : {&TcpCounters::listen_drops, &TcpCounters::listen_overflows,
                              &TcpCounters::embryonic_rsts, &TcpCounters::defer_accept_drop})
    if (const auto increase = window.increase(counter)) others = saturating_add(others, *increase);
  return drops > others ? drops - others : 0;
}

// Whom at least half of the half-open connections of the busiest listener come from; empty: from many.
std::optional<IpAddress> half_open_from(const Window& window) {
  const auto busiest = busiest_half_open(window);
  if (!busiest) return std::nullopt;
  const auto readings = window.readings(&NetnsView::connections);
  for (auto reading = readings.rbegin(); reading != readings.rend(); ++reading)
    for (const auto& each : reading->value->half_open)
      if (each.listener == busiest->listener->endpoint && each.count > 0) return each.mostly_from;
  return std::nullopt;
}

// What speaks for clients whose answers are lost although no cookie comes back.
struct AskAgain {
  std::uint64_t syns = 0;
  std::optional<IpAddress> from;

  [[nodiscard]] bool any() const { return syns > 0 || from; }
};

AskAgain ask_again(const Window& window) {
  const auto busiest = busiest_half_open(window);
  const std::uint64_t half_open = busiest ? busiest->half_open : 0;
  constexpr std::uint64_t kFew = 8;
  AskAgain again{.syns = syns_again(window),
                 .from = half_open >= kFew ? half_open_from(window) : std::nullopt};
  if (again.syns < std::max(kFew, half_open / 2)) again.syns = 0;
  return again;
}

// The listener whose SYN queue it is, if one stands out; otherwise the namespace.
Facts facts_about_queue(const Window& window) {
  Facts facts;
  const auto* listener = flooded_listener(window);
  if (listener == nullptr) return facts;
  const auto limit = listener->fullest().queue_limit;
  facts.subject = listener_subject(window, *listener);
  if (const auto busiest = busiest_half_open(window); busiest && busiest->listener == listener) {
    add_increase(facts, window, "half-open connections (SYN_RECV), peak", busiest->half_open, "connections");
    facts.values["half_open"] = number_text(busiest->half_open);
  }

  facts.values["limit"] = number_text(limit);
  const auto wanted = std::max<std::uint64_t>(4096, larger_backlog(limit));
  facts.values["new_backlog"] = std::to_string(wanted);
  facts.bites = Bites{.limit = "listen backlog", .value = static_cast<double>(limit)};
  if (const auto somaxconn = window.setting("net.core.somaxconn")) {
    facts.bites->ceiling = "net.core.somaxconn";
    facts.bites->ceiling_value = static_cast<double>(*somaxconn);
    facts.values["somaxconn"] = std::to_string(*somaxconn);
    if (*somaxconn < static_cast<std::int64_t>(wanted))
      facts.values["new_somaxconn"] = std::to_string(wanted_somaxconn(*somaxconn));
  }
  return facts;
}

bool is_vague(const Facts& facts) { return facts.subject.kind == SubjectKind::netns; }

// Whether the counter began to rise only now: the next dump may tell which listener it was.
bool is_new(const Window& window, TcpCounter counter) {
  constexpr std::chrono::seconds kNextDump{3};
  const auto all = window.increase(counter);
  const auto recent = window.last(kNextDump).increase(counter);
  return all && recent && *all == *recent;
}

enum class Judgement { burst, undetermined, flood };

std::optional<Judgement> judge(double share, const Cookies& cookies, const Thresholds& t) {
  if (share >= t.cookies_valid_burst) return Judgement::burst;
  if (share > t.cookies_valid_flood) return Judgement::undetermined;
  if (cookies.sent_before < t.flood_cookies_min) return std::nullopt;
  return Judgement::flood;
}

// Cookies sent for real clients come back; those for spoofed addresses do not. Nothing is said while those
// that are on their way decide.
std::optional<Judgement> judge(const Cookies& cookies, const Thresholds& t) {
  if (cookies.sent_before < t.cookies_min) return std::nullopt;
  const auto least = judge(cookies.least_share(), cookies, t);
  const bool sure = cookies.settled || least == judge(cookies.most_share(), cookies, t);
  return sure ? least : std::nullopt;
}

// What of a flood or of an accept queue that overflowed has left the window by parts must not look like a
// burst: both are looked for over a longer one. Cookies are counted for the namespace, so nothing can be said
// of another listener meanwhile.
Result<bool> is_another_trouble(const Window& longer, const Thresholds& t) {
  const auto overflows = longer.increase(&TcpCounters::listen_overflows);
  if (!overflows) return tl::unexpected<Error>(overflows.error());
  const auto cookies = cookies_in(longer);
  if (!cookies) return tl::unexpected<Error>(cookies.error());
  return *overflows > 0 || judge(*cookies, t) == Judgement::flood;
}

void add_again(Facts& facts, const Window& window, const AskAgain& again) {
  if (!again.any()) return;
  facts.values.flag("lost");
  if (again.syns > 0)
    add_increase(facts, window, "repeated SYNs for half-open connections", "again", again.syns, "SYNs");
  if (const auto retransmitted = window.increase(&TcpCounters::syn_retrans))
    add_increase(facts, window, &TcpCounters::syn_retrans, "retransmitted", *retransmitted,
                 "SYN-ACKs and SYNs");
  if (again.from) facts.values["from"] = to_string(*again.from);
}

template <Judgement Wanted>
Verdict cookies_sent(const Window& longer, const Thresholds& t) {
  const auto mode = longer.setting("net.ipv4.tcp_syncookies");
  if (!mode) return Verdict::unknown(mode.error());
  if (*mode != 1) return Verdict::clear();  // 0: none are sent; 2: one for every SYN, full or not
  const auto window = longer.last(kCookieWindow);
  const auto cookies = cookies_in(window);
  if (!cookies) return Verdict::unknown(cookies.error());
  auto judgement = judge(*cookies, t);
  if (Wanted == Judgement::flood && !judgement && cookies->sent >= t.flood_cookies_min)
    return Verdict::unknown({Errc::too_early, "netstat: whether the SYN cookies come back is not known yet"});
  const auto again = judgement == Judgement::flood ? ask_again(window) : AskAgain{};
  if (again.any()) judgement = Judgement::undetermined;
  if (judgement != Wanted) return Verdict::clear();
  if (Wanted != Judgement::flood && !again.any()) {
    const auto other = is_another_trouble(longer, t);
    if (!other) return Verdict::unknown(other.error());
    if (*other) return Verdict::clear();
  }
  auto facts = facts_about_queue(window);
  if (is_vague(facts) && is_new(window, &TcpCounters::syncookies_sent)) return Verdict::clear();
  add_increase(facts, window, &TcpCounters::syncookies_sent, "sent", cookies->sent, "SYN-ACKs");
  add_increase(facts, window, &TcpCounters::syncookies_received, "received", cookies->received, "ACKs");
  facts.values["window"] = duration_text(window.span());
  facts.values["share"] = percent_text(std::min(1.0, cookies->least_share()));
  add_again(facts, window, again);
  return Verdict::found({facts});
}

Verdict syn_queue_drop(const Window& window, const Thresholds& t) {
  const auto mode = window.setting("net.ipv4.tcp_syncookies");
  if (!mode) return Verdict::unknown(mode.error());
  const auto dropped = window.increase(&TcpCounters::req_q_full_drop);
  if (!dropped) return Verdict::unknown(dropped.error());
  if (*mode != 0 || *dropped < t.syn_drop_min) return Verdict::clear();
  auto facts = facts_about_queue(window);
  if (is_vague(facts) && is_new(window, &TcpCounters::req_q_full_drop)) return Verdict::clear();
  add_increase(facts, window, &TcpCounters::req_q_full_drop, "dropped", *dropped, "SYNs");
  add_reading(facts, "net.ipv4.tcp_syncookies", 0, "");
  return Verdict::found({facts});
}

// The SYNs that the 3/4 rule drops move no counter of their own: they are what of ListenDrops is left.
Verdict syn_backlog_sysctl_limit(const Window& window, const Thresholds& t) {
  const auto mode = window.setting("net.ipv4.tcp_syncookies");
  if (!mode) return Verdict::unknown(mode.error());
  if (*mode != 0) return Verdict::clear();
  const auto drops = window.increase(&TcpCounters::listen_drops);
  const auto overflows = window.increase(&TcpCounters::listen_overflows);
  const auto queue_full = window.increase(&TcpCounters::req_q_full_drop);
  const auto max_backlog = window.setting("net.ipv4.tcp_max_syn_backlog");
  const auto connections = window.latest(&NetnsView::connections);
  for (const auto* known : {&drops, &overflows, &queue_full})
    if (!*known) return Verdict::unknown(known->error());
  if (!max_backlog) return Verdict::unknown(max_backlog.error());
  const auto others = *overflows + *queue_full;
  if (*drops < others + t.syn_drop_min) return Verdict::clear();
  if (!connections) return Verdict::unknown(connections.error());
  const auto busiest = busiest_half_open(window);
  // Its room is three quarters; a dump between the drops may show a little less.
  constexpr double kNearlyFull = 0.7;
  if (!busiest || busiest->half_open < kNearlyFull * static_cast<double>(*max_backlog))
    return Verdict::clear();
  auto facts = facts_about_queue(window);
  add_increase(facts, window, &TcpCounters::listen_drops, "dropped", *drops - others, "SYNs");
  add_reading(facts, "net.ipv4.tcp_syncookies", 0, "");
  facts.bites = Bites{.limit = "net.ipv4.tcp_max_syn_backlog", .value = static_cast<double>(*max_backlog)};
  facts.values["max_syn_backlog"] = std::to_string(*max_backlog);
  facts.values["new_syn_backlog"] = std::to_string(std::max<std::int64_t>(4096, *max_backlog * 2));
  return Verdict::found({facts});
}

constexpr std::string_view kFamily = "SYN queue";
constexpr std::string_view kReads = "/proc/net/netstat, sock_diag, net.ipv4.tcp_syncookies";

constexpr std::string_view kNotSynBacklog =
    "Raising net.ipv4.tcp_max_syn_backlog: since Linux 4.4 it does nothing while SYN cookies are on; the "
    "listen backlog is the SYN queue's limit too.";
constexpr std::string_view kNotCookiesOff =
    "Switching net.ipv4.tcp_syncookies off: without cookies the same SYNs are dropped instead of answered.";

constexpr auto kOverflowAdvice = std::to_array<AdviceText>({
    {"Raise the backlog[ of {process}][ from {limit} to {new_backlog}][: {server_knob}|; it is what the "
     "server passes to listen()]. Then restart or reload it.",
     "", "The burst fits into the SYN queue and no cookies are needed.",
     "A few hundred bytes of kernel memory for each waiting connection."},
    {"Raise net.core.somaxconn if the new backlog is larger[ than its current {somaxconn}].",
     "sysctl -w net.core.somaxconn={new_somaxconn}", "It caps every backlog that is set from then on.",
     "None worth mentioning; a listener picks it up only when it calls listen() again."},
});
// tcp[tcpflags] is of IPv4 alone.
constexpr std::string_view kCaptureSyns =
    "tcpdump -nn -i any -c 200 '(tcp\\[tcpflags\\] & (tcp-syn|tcp-ack) == tcp-syn or (ip6 proto 6 and "
    "ip6\\[53\\] & 18 == 2))[ and dst port {port}]'";
constexpr auto kFloodAdvice = std::to_array<AdviceText>({
    {"Look at where the SYNs come from before you block anything: spoofed addresses are not the attacker's.",
     kCaptureSyns, "Shows whether the sources are many or few.", ""},
    {"Filter upstream of this host: at the provider, the load balancer or the firewall.", "",
     "The SYNs no longer reach the host.", "A filter that is too wide blocks real clients."},
    {"Leave SYN cookies on: they are what still lets real clients in.", "",
     "Connections that answer the cookie are accepted although the queue is full.",
     "Connections made by a cookie may lose window scaling and SACK when timestamps are off."},
});
constexpr auto kUndeterminedAdvice = std::to_array<AdviceText>({
    {"{?lost}Check whether the answers get back: look for outgoing SYN-ACKs, and check on a client whether "
     "they arrive.",
     "tcpdump -nn -i any -c 100 'tcp[ port {port}][ and host {from}]'",
     "SYN, SYN-ACK and the same SYN again: the answer is lost after it has left this host, through a "
     "firewall or a route.",
     ""},
    {"{?lost}Look at the route back.", "ip route get {from}",
     "Shows the interface and the gateway that answers go through.", ""},
    {"Look at who connects: real clients whose answers are lost or late, or a flood among real traffic.",
     kCaptureSyns, "Tells you whether to raise the backlog or to filter.", ""},
    {"If they are real clients, raise the backlog that the server passes to listen()[, now {limit}].", "",
     "The burst fits into the SYN queue and no cookies are needed.",
     "A few hundred bytes of kernel memory for each waiting connection."},
});
constexpr auto kCookiesOnAdvice = std::to_array<AdviceText>({
    {"Switch SYN cookies on[ in namespace {netns}], and keep them on in /etc/sysctl.d or where the container "
     "is started.",
     "sysctl -w net.ipv4.tcp_syncookies=1",
     "SYNs that do not fit into the queue are answered with a cookie instead of dropped.",
     "Connections made by a cookie may lose window scaling and SACK when timestamps are off."},
    {"Raise the backlog that the server passes to listen()[, now {limit}].", "",
     "More half-open connections fit into the queue.",
     "A few hundred bytes of kernel memory for each waiting connection."},
});
constexpr auto kSysctlLimitAdvice = std::to_array<AdviceText>({
    {"Switch SYN cookies on[ in namespace {netns}].", "sysctl -w net.ipv4.tcp_syncookies=1",
     "net.ipv4.tcp_max_syn_backlog no longer limits anything; the listen backlog does.",
     "Connections made by a cookie may lose window scaling and SACK when timestamps are off."},
    {"If cookies have to stay off, raise net.ipv4.tcp_max_syn_backlog.",
     "sysctl -w net.ipv4.tcp_max_syn_backlog={new_syn_backlog}",
     "Three quarters of it are open to clients that the host has not seen before.",
     "Kernel memory for each half-open connection while a flood lasts."},
});
constexpr std::string_view kBurstNot[] = {kNotSynBacklog, kNotCookiesOff};
constexpr std::string_view kFloodNot[] = {kNotSynBacklog, kNotCookiesOff,
                                          "A larger backlog: a flood fills any queue."};
constexpr std::string_view kDropNot[] = {
    "Raising net.ipv4.tcp_max_syn_backlog alone: what is full is the queue whose limit is the listen "
    "backlog."};
constexpr std::string_view kSysctlLimitNot[] = {
    "Raising the listen backlog: it is not the limit here.",
    "Raising net.core.somaxconn: it caps the listen backlog, which is not the limit here."};
constexpr std::string_view kLogLine[] = {"a \"Possible SYN flooding\" line in the kernel log"};

constexpr Rule kRules[] = {
    {.info = {.id = "syn-queue-overflow",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "A burst of connections larger than the backlog",
              .true_when = "SYN cookies are sent because a SYN queue is full, and at least "
                           "{t.cookies_valid_burst} of them come back valid: real clients.",
              .clients_see =
                  "Connections succeed; some lose window scaling or SACK, or take a second longer.",
              .summary = "More clients connected at once[ to {listener}[ ({owner})]] than its backlog[ of "
                         "{limit}] holds: {sent} SYN cookies were sent in {window} and {share} of them came "
                         "back, so they are real clients, not a flood.",
              .advice = kOverflowAdvice,
              .not_helping = kBurstNot,
              .consequences = kLogLine,
              .reads = kReads},
     .lookback = 2 * kCookieWindow,
     .evaluate = cookies_sent<Judgement::burst>},
    {.info = {.id = "syn-queue-full",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "SYN queue full: a burst or a flood",
              .true_when = "SYN cookies are sent and only some of them come back; or hardly any do, but the "
                           "same SYNs are repeated or most come from one address: neither real clients nor a "
                           "flood can be ruled out.",
              .clients_see = "Some connections take seconds or time out.",
              .summary = "The SYN queue[ of {listener}[ ({owner})]] is full: {sent} SYN cookies were sent in "
                         "{window} and {share} of them came back. [{?lost}[{again} SYNs were repeated for "
                         "connections that were already half-open[, and most of these come from {from}]|Most "
                         "half-open connections come from {from}]: real clients whose answers are lost on "
                         "the way back, or a flood[ from {from}| that repeats its SYNs].|That is too few for "
                         "real clients alone and too many for a flood alone.]",
              .advice = kUndeterminedAdvice,
              .not_helping = kBurstNot,
              .consequences = kLogLine,
              .reads = kReads,
              .explains_clients = true},
     .lookback = 2 * kCookieWindow,
     .evaluate = cookies_sent<Judgement::undetermined>},
    {.info = {.id = "syn-flood-suspected",
              .family = kFamily,
              .severity = Severity::critical,
              .title = "SYN flood suspected",
              .true_when =
                  "At least {t.flood_cookies_min} SYN cookies are sent and at most {t.cookies_valid_flood} "
                  "of them come back; the SYNs come from many addresses and are not repeated.",
              .clients_see = "As long as SYN cookies are on, real clients still get in.",
              .summary = "[{listener}[ ({owner})] gets ]SYNs that are never followed up: {sent} SYN cookies "
                         "were sent in {window} and {received} came back[; {half_open} half-open "
                         "{half_open:connection fills|connections fill} its queue of {limit}].",
              .advice = kFloodAdvice,
              .not_helping = kFloodNot,
              .consequences = kLogLine,
              .reads = kReads},
     .lookback = 2 * kCookieWindow,
     .evaluate = cookies_sent<Judgement::flood>},
    {.info = {.id = "syn-queue-drop",
              .family = kFamily,
              .severity = Severity::critical,
              .title = "SYNs dropped because SYN cookies are off",
              .true_when = "net.ipv4.tcp_syncookies is 0 and TCPReqQFullDrop rises.",
              .clients_see = "Connecting takes 1, 3 or 7 s, or times out.",
              .summary = "{dropped} SYNs[ to {listener}[ ({owner})]] were dropped in {window}: the SYN "
                         "queue[ of {limit}] is full and net.ipv4.tcp_syncookies is 0.",
              .advice = kCookiesOnAdvice,
              .not_helping = kDropNot,
              .consequences = kLogLine,
              .reads = kReads,
              .explains_clients = true},
     .evaluate = syn_queue_drop},
    {.info =
         {.id = "syn-backlog-sysctl-limit",
          .family = kFamily,
          .severity = Severity::critical,
          .title = "SYNs dropped by tcp_max_syn_backlog",
          .true_when =
              "net.ipv4.tcp_syncookies is 0, ListenDrops rises without ListenOverflows and TCPReqQFullDrop, "
              "and the half-open connections have reached three quarters of net.ipv4.tcp_max_syn_backlog.",
          .clients_see = "Connecting takes 1, 3 or 7 s, or times out.",
          .summary = "{dropped} SYNs[ to {listener}[ ({owner})]] were dropped in {window}: with "
                     "net.ipv4.tcp_syncookies=0 only three quarters of net.ipv4.tcp_max_syn_backlog "
                     "({max_syn_backlog}) are open to new clients[, and {half_open} {half_open:connection "
                     "is|connections are} half-open].",
          .advice = kSysctlLimitAdvice,
          .not_helping = kSysctlLimitNot,
          .reads = kReads,
          .explains_clients = true},
     .evaluate = syn_backlog_sysctl_limit},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> syn_queue_rules() { return kRules; }

}  // namespace tcpdiag
