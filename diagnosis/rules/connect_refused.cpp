// SPDX-License-Identifier: Apache-2.0
// Connection attempts that fail at once, told from counters alone: that they fail and how many, not where to.
#include <algorithm>
#include <array>

#include "core/facts/interfaces.h"
#include "core/facts/netns_list.h"
#include "core/saturating.h"
#include "diagnosis/counters.h"
#include "diagnosis/entry.h"
#include "diagnosis/evidence.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::seconds kAttempts{30};

// AttemptFails counts half-open connections of listeners, too, which EmbryonicRsts tells.
Result<std::uint64_t> failed_attempts(const Window& window) {
  return window.increase_without(&TcpCounters::embryonic_rsts, &TcpCounters::attempt_fails);
}

// The most that a dump of the window showed in SYN_SENT: a program that gives up waiting counts as failed,
// too.
std::uint64_t most_waiting(const Window& window) {
  std::uint64_t most = 0;
  for (const auto& reading : window.readings(&NetnsView::connections)) {
    std::uint64_t waiting = reading.value->client_other.count(TcpState::syn_sent);
    for (const auto& row : reading.value->client) waiting += row.count(TcpState::syn_sent);
    for (const auto& row : reading.value->server) waiting += row.count(TcpState::syn_sent);
    most = std::max(most, waiting);
  }
  return most;
}

struct GoneListener {
  Subject subject;
  TimePoint last_seen;
};

// The listener that went away last, as it was known then.
std::optional<GoneListener> gone_listener(const Window& window) {
  const auto now = window.latest(&NetnsView::listeners);
  if (!now) return std::nullopt;
  for (std::size_t i = window.size(); i-- > 0;) {
    const auto* then = window.view(i).listeners.get();
    if (then == nullptr || then == *now) continue;
    for (const auto& listener : then->listeners)
      if (find_listener(**now, listener.endpoint) == nullptr)
        return GoneListener{listener_subject(window.snapshot(i), listener), window.snapshot(i).at};
  }
  return std::nullopt;
}

// Resets that no program asked for; 0: none, or it is not known.
std::uint64_t resets_of_kernel(const Window& window) {
  const auto sent = window.increase(&TcpCounters::out_rsts);
  const auto unread = window.increase(&TcpCounters::abort_on_close),
             lingering = window.increase(&TcpCounters::abort_on_data);
  if (!sent || !unread || !lingering) return 0;
  return kernel_resets(*sent, *unread, *lingering).value_or(0);
}

bool are_nearly_all(std::uint64_t resets, std::uint64_t failed) {
  constexpr double kNearlyAll = 0.9;
  return static_cast<double>(resets) >= kNearlyAll * static_cast<double>(failed);
}

void add_gone(Facts& facts, const GoneListener& gone, TimePoint now) {
  facts.values["gone_listener"] = to_string(gone.subject);
  facts.values["gone_for"] = duration_text(std::chrono::ceil<std::chrono::seconds>(now - gone.last_seen));
  if (gone.subject.pid) facts.values["gone_owner"] = process_text(gone.subject);
}

// A port that no program here listens on is refused by a reset of this host's own.
bool add_own_refusals(Facts& facts, const Window& longer, const Window& window, std::uint64_t failed) {
  const auto resets = resets_of_kernel(window);
  if (!are_nearly_all(resets, failed)) return false;
  add_increase(facts, window, kKernelResets, "own_resets", static_cast<double>(resets), "resets");
  if (const auto gone = gone_listener(longer)) add_gone(facts, *gone, longer.now());
  return true;
}

// The one other namespace that sent as many resets as attempts failed here, and no more than all the others'
// attempts account for: strangers may try its ports, too. nullptr: there is none, or several.
const NetnsView* refusing_netns(const Window& window, std::uint64_t failed) {
  constexpr std::uint64_t kRoom = 4;  // a fourth more: counters are not read at the same moment
  std::uint64_t all_failed = 0;
  for (const auto& netns : window.newest().namespaces)
    all_failed = saturating_add(all_failed, failed_attempts(window.in(netns.id)).value_or(0));
  const NetnsView* only = nullptr;
  for (const auto& netns : window.newest().namespaces) {
    if (netns.id == window.netns().id) continue;
    const auto resets = resets_of_kernel(window.in(netns.id));
    if (!are_nearly_all(resets, failed) || resets > all_failed + all_failed / kRoom) continue;
    if (only != nullptr) return nullptr;
    only = &netns;
  }
  return only;
}

// A port of the host's that leads into the namespace, to where nothing listens; empty: there is none, or
// several.
std::optional<std::uint16_t> silent_published_port(const Window& there) {
  const auto* list = there.newest().netns_list.get();
  const auto listeners = there.latest(&NetnsView::listeners);
  const auto* interfaces = there.netns().interfaces.get();
  if (list == nullptr || !listeners || interfaces == nullptr) return std::nullopt;
  std::optional<std::uint16_t> only;
  for (const auto& port : list->published) {
    const Destination wanted{.destination = port.container_address, .port = port.container_port};
    if (!std::ranges::binary_search(interfaces->addresses, port.container_address.unmapped()) ||
        listener_for(**listeners, wanted) != nullptr)
      continue;
    if (only && *only != port.container_port) return std::nullopt;
    only = port.container_port;
  }
  return only;
}

void add_refusals_elsewhere(Facts& facts, const Window& longer, const Window& window, std::uint64_t failed) {
  const auto* netns = refusing_netns(window, failed);
  if (netns == nullptr) return;
  const auto there = longer.in(netns->id);
  facts.values["refused_place"] = place_text(window.newest(), *netns);
  facts.values["refused_resets"] = std::to_string(resets_of_kernel(window.in(netns->id)));
  if (const auto pid = anchor_of(window.newest(), *netns)) facts.values["own_pid"] = std::to_string(*pid);
  const auto gone = gone_listener(there);
  const auto port = gone ? gone->subject.port : silent_published_port(there);
  if (port) facts.values["refused_port"] = std::to_string(*port);
  if (!gone) return;
  add_gone(facts, *gone, longer.now());
  facts.served_by = ListenerThere{netns->name, gone->subject};
}

Verdict connect_refused(const Window& longer, const Thresholds& t) {
  const auto connections = longer.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  const auto window = longer.last(kAttempts);
  const auto failed = failed_attempts(window);
  if (!failed) return Verdict::unknown(failed.error());
  const auto opened = window.increase(&TcpCounters::active_opens);
  if (!opened) return Verdict::unknown(opened.error());
  if (*failed < t.refused_min || *opened == 0) return Verdict::clear();
  const auto share = std::min(1.0, static_cast<double>(*failed) / static_cast<double>(*opened));
  constexpr std::uint64_t kWorthMore = 4;
  if (share < t.refused_share || most_waiting(window) >= *failed / kWorthMore) return Verdict::clear();
  Facts facts;
  if (share < t.refused_mostly) facts.severity = Severity::info;
  add_increase(facts, window, &TcpCounters::attempt_fails, "failed", *failed, "attempts");
  add_increase(facts, window, &TcpCounters::active_opens, "opened", *opened, "attempts");
  facts.values["window"] = duration_text(window.span());
  facts.values["share"] = percent_text(share);
  if (!add_own_refusals(facts, longer, window, *failed))
    add_refusals_elsewhere(facts, longer, window, *failed);
  return Verdict::found({facts});
}

constexpr auto kAdvice = std::to_array<AdviceText>({
    {"{?gone_listener}Start the service on {gone_listener}[ in {refused_place}] again, if that is what is "
     "refused.",
     "", "Its port accepts connections again.", ""},
    {"See who is refused, and by whom.",
     "tcpdump -nn -i any -c 20 'tcp\\[tcpflags\\] & tcp-rst != 0 or (ip6 proto 6 and ip6\\[53\\] & 4 != 0)'",
     "A reset that answers a SYN comes from the port that refuses. No reset at all: the network reports that "
     "the destination cannot be reached.",
     ""},
    {"{?refused_place}See what listens in {refused_place}, and on which addresses.",
     "[nsenter -t {own_pid} -n ss -ltnp]",
     "A service that is not there, or listens on 127.0.0.1 only, refuses all connections from outside of it.",
     ""},
    {"{?own_resets}See what listens on this host, and on which addresses.", "ss -ltnp",
     "For a service that listens on 127.0.0.1 only, connections to any other address are refused.", ""},
    {"Check whether the service is running at the other end, on that address and port, and check the "
     "firewall in front of it.",
     "", "A firewall that rejects looks like a service that is not there.", ""},
});
constexpr std::string_view kNot[] = {
    "Raising net.core.somaxconn, a backlog or net.ipv4.tcp_syn_retries: the answer came, and it was no.",
    "Widening net.ipv4.ip_local_port_range: an attempt without a local port never becomes a SYN and is not "
    "counted here."};

constexpr Rule kRules[] = {
    {.info =
         {.id = "connect-refused",
          .family = "Client side",
          .severity = Severity::warning,
          .title = "Connection attempts are refused",
          .true_when =
              "AttemptFails minus EmbryonicRsts rises within half a minute by at least {t.refused_min} "
              "and by at least {t.refused_share} of ActiveOpens, while hardly any connection is seen "
              "waiting in SYN_SENT. Info below {t.refused_mostly}: a program that tries ::1 before "
              "127.0.0.1 looks like this. Counters do not show which destination it is.",
          .clients_see = "\"Connection refused\" (errno 111), or \"No route to host\" (errno 113), at once.",
          .summary =
              "{failed} of {opened} connection attempts of programs on this host failed at once "
              "in {window} (AttemptFails), and hardly any were seen in SYN_SENT: they are "
              "refused, or the network reports that the destination cannot be reached.[ In that "
              "time the kernel of this host sent {own_resets} resets that no program asked for, "
              "so it is most likely ports of its own that nothing listens on[: {gone_listener}[ "
              "({gone_owner})] did until {gone_for} ago].][ In that time {refused_place} sent "
              "{refused_resets} resets that no program asked for, so it is most likely [port "
              "{refused_port}|a port] there that nothing listens on[: {gone_listener}[ ({gone_owner})] did "
              "until {gone_for} ago].] "
              "Counters do not show which destination it is.",
          .advice = kAdvice,
          .not_helping = kNot,
          .reads = "/proc/net/snmp, /proc/net/netstat, sock_diag"},
     .lookback = std::chrono::seconds(290),
     .evaluate = connect_refused},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> connect_refused_rules() { return kRules; }

}  // namespace tcpdiag
