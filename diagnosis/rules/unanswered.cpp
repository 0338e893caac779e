// SPDX-License-Identifier: Apache-2.0
// Destinations that do not answer SYNs: the client's view of a firewall, a host that is down, a queue that is
// full at the other end, which may be this host, or of answers that this host drops itself.
#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "core/facts/interfaces.h"
#include "diagnosis/counters.h"
#include "diagnosis/course.h"
#include "diagnosis/entry.h"
#include "diagnosis/evidence.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"

namespace tcpdiag {
namespace {

// Two dumps in a row: a handshake under way is in one of them at most.
constexpr std::chrono::seconds kLasts{3};
// Beyond that many destinations it is not they that do not answer: it is the way to them.
constexpr std::size_t kNamed = 4;

// From all source addresses together; ordered, the busiest first.
std::vector<Destination> by_service(const std::vector<Destination>& destinations) {
  std::map<std::pair<IpAddress, std::uint16_t>, Destination> services;
  for (const auto& each : destinations) {
    const auto [service, is_new] = services.try_emplace({each.destination, each.port}, each);
    if (!is_new) service->second.local_ports += each.local_ports;
  }
  std::vector<Destination> merged;
  merged.reserve(services.size());
  for (const auto& [key, service] : services) merged.push_back(service);
  std::ranges::stable_sort(merged, std::greater(), &Destination::local_ports);
  return merged;
}

std::uint64_t sockets_to(const std::vector<Destination>& destinations, const Destination& service) {
  std::uint64_t sockets = 0;
  for (const auto& each : destinations)
    if (each.destination == service.destination && each.port == service.port) sockets += each.local_ports;
  return sockets;
}

// At most that many: of one that is not among the busiest, it is known only that others have more.
std::uint64_t most_sockets_to(const Connections& connections, const Destination& service) {
  const auto& busiest = connections.destinations;
  const auto sockets = sockets_to(busiest, service);
  if (sockets > 0 || busiest.size() < Connections::kDestinations) return sockets;
  return busiest.back().local_ports + connections.destination_undercount;
}

bool has_lasted(const Window& window, const Destination& service, std::uint64_t at_least) {
  const auto lasted = held_for(window.readings(&NetnsView::connections), [&](const Connections& connections) {
    return sockets_to(connections.unanswered, service) >= at_least;
  });
  return lasted && *lasted >= kLasts;
}

// A handshake takes a round trip, so a busy client always has some under way. They are more than that when
// most sockets to the destination wait, or when so many wait that each must have done so for over a second,
// the time after which a SYN is sent again.
bool wait_too_long(const Window& window, const Connections& connections, const Destination& service) {
  constexpr double kMost = 0.6;
  const double waiting = service.local_ports;
  if (waiting > kMost * static_cast<double>(most_sockets_to(connections, service))) return true;
  const auto opened = window.increase(&TcpCounters::active_opens);
  return opened && waiting >= static_cast<double>(*opened) / static_cast<double>(window.span().count());
}

// The reading in which the queue that connections to the service come to was full last; it may be gone since.
const Listener* full_queue_of(const Window& window, const Destination& service) {
  const auto readings = window.readings(&NetnsView::listeners);
  for (auto reading = readings.rbegin(); reading != readings.rend(); ++reading)
    if (const auto* listener = listener_for(*reading->value, service);
        listener != nullptr && is_full(listener->fullest()))
      return listener;
  return nullptr;
}

// A listener of this host that drops SYNs, or did until it ended a moment ago, is found by the rules about
// its queues and its end.
bool is_own_queue(const Window& window, const Destination& service) {
  const auto drops = window.increase(&TcpCounters::listen_drops);
  if (!drops || *drops == 0 || is_own_address(window, service) != Known::yes) return false;
  // What listens on a published port is a proxy, and most packets never come to it.
  if (served_there(window, service) && full_queue_of(window, service) == nullptr) return false;
  return std::ranges::any_of(window.readings(&NetnsView::listeners), [&](const Dated<Listeners>& reading) {
    return listener_for(*reading.value, service) != nullptr;
  });
}

// The queue that they come to, in another namespace, is full now or was a moment ago, and not for as long as
// the rules about queues look before they say why: that will be the cause.
bool is_judged_soon(const Window& window, const Destination& service) {
  constexpr std::chrono::seconds kUntilJudged{5};
  const auto other = served_there(window, service);
  if (!other) return false;
  const auto readings = window.in(other->netns->id).last(kUntilJudged).readings(&NetnsView::listeners);
  const auto was_full = [&](const Dated<Listeners>& reading) {
    const auto* listener = listener_for(*reading.value, other->there);
    return listener != nullptr && is_full(listener->fullest());
  };
  return std::ranges::any_of(readings, was_full) && !std::ranges::all_of(readings, was_full);
}

// A container that is started anew has its address, or its published port, again in a moment; clients find
// out when they send their next SYN.
bool is_restarted(const Window& window, const Destination& service) {
  constexpr std::chrono::seconds kSoon{20};
  return formerly_served(window.last(kSoon), service).has_value();
}

// The queue that they come to, in another namespace, has room again: each gets in when it asks the next time,
// which may be half a minute later.
bool has_recovered(const Window& window, const Destination& service) {
  const auto other = served_there(window, service);
  if (!other) return false;
  const auto there = window.in(other->netns->id);
  const auto* listener = own_listener(there, other->there);
  return listener != nullptr && !is_full(listener->fullest()) &&
         full_queue_of(there, other->there) != nullptr;
}

void add_full_queue(Facts& facts, const Window& there, const Listener& full) {
  const auto subject = listener_subject(there, full);
  facts.values["own_listener"] = to_string(subject);
  if (subject.pid) facts.values["own_owner"] = process_text(subject);
  add_reading(facts, "accept queue of the listener there", "own_length", full.fullest().queue_length,
              "connections");
  facts.values["own_limit"] = std::to_string(full.fullest().queue_limit);
}

// It drops SYNs, for whatever reason a rule finds there.
bool drops_syns(const Window& there) {
  const auto drops = there.increase(&TcpCounters::listen_drops);
  return drops && *drops > 0;
}

void add_other_namespace(Facts& facts, const Window& window, const ServedThere& other) {
  facts.values["own_place"] = place_text(window.newest(), *other.netns);
  facts.values["own_port"] = std::to_string(other.there.port);
  if (const auto pid = anchor_of(window.newest(), *other.netns))
    facts.values["own_pid"] = std::to_string(*pid);
}

// {own}: it is this host itself, {elsewhere}: it is none of this namespace's addresses; neither: not known.
void add_where(Facts& facts, const Window& window, const Destination& service) {
  const auto is_own = is_own_address(window, service);
  const auto other = served_there(window, service);
  if (is_own != Known::yes && !other) {
    if (is_own == Known::no) facts.values.flag("elsewhere");
    return;
  }
  facts.values.flag("own");
  if (other) add_other_namespace(facts, window, *other);
  const auto there = other ? window.in(other->netns->id) : window;
  const auto& destination = other ? other->there : service;
  const auto* listener = own_listener(there, destination);
  const auto* full = full_queue_of(there, destination);
  const auto* blamed = full != nullptr ? full : drops_syns(there) ? listener : nullptr;
  if (other && blamed != nullptr)
    facts.served_by = ListenerThere{other->netns->name, listener_subject(there, *blamed)};
  if (full == nullptr) return;
  add_full_queue(facts, there, *full);
  if (listener == nullptr) facts.values.flag("own_gone");
}

// The interfaces that drop what comes in by another way than an answer would go out, the first few of them.
std::vector<ReversePathFilter> strict_interfaces(const Window& window) {
  constexpr std::int64_t kStrict = 1;
  constexpr std::size_t kMost = 4;
  std::vector<ReversePathFilter> strict;
  const auto interfaces = window.latest(&NetnsView::interfaces);
  if (!interfaces) return strict;
  std::int64_t of_all = 0;
  for (const auto& filter : (*interfaces)->filters) {
    if (filter.interface == "all")
      of_all = filter.mode;
    else if (filter.interface != "lo" && std::max(of_all, filter.mode) == kStrict && strict.size() < kMost)
      strict.push_back({filter.interface, kStrict});
  }
  return strict;
}

// Answers that this host drops itself: about one for each SYN. The counter is about packets of all kinds.
void add_reverse_path_filter(Facts& facts, const Window& window, std::uint64_t retransmitted) {
  const auto dropped = window.increase(&TcpCounters::ip_reverse_path_filter);
  if (!dropped || *dropped == 0 || *dropped < retransmitted / 2) return;
  add_increase(facts, window, &TcpCounters::ip_reverse_path_filter, "filtered", *dropped, "packets");
  const auto strict = strict_interfaces(window);
  std::string names;
  for (const auto& filter : strict) {
    add_reading(facts, "rp_filter in effect on " + filter.interface, filter.mode, "");
    names += (names.empty() ? "" : ", ") + filter.interface;
  }
  if (!names.empty()) facts.values["strict_interfaces"] = names;
  if (strict.size() == 1) facts.values["interface"] = names;
}

// The kernel counts SYNs that are sent again for all destinations together.
Facts facts_about(const Window& window, Subject subject, double waiting, std::uint64_t retransmitted,
                  bool all_to_it) {
  Facts facts{.subject = std::move(subject)};
  add_reading(facts, "connections in SYN_SENT", "waiting", waiting, "connections");
  add_increase(facts, window, &TcpCounters::syn_retrans,
               all_to_it ? ValueName("retransmitted") : ValueName("retransmitted_to_all"), retransmitted,
               "SYNs");
  if (const auto retries = window.setting("net.ipv4.tcp_syn_retries"))
    facts.values["retries"] = std::to_string(*retries);
  return facts;
}

Facts facts_about_many(const Window& window, const std::vector<Destination>& services,
                       std::uint64_t retransmitted) {
  double waiting = 0;
  for (const auto& service : services) waiting += service.local_ports;
  auto facts = facts_about(window, {.kind = SubjectKind::netns}, waiting, retransmitted, true);
  facts.values["services"] = std::to_string(services.size());
  facts.values["first_service"] = to_string(destination_subject(services.front()));
  const auto is_elsewhere = [&](const Destination& each) {
    return is_own_address(window, each) == Known::no && !served_there(window, each);
  };
  if (std::ranges::all_of(services, is_elsewhere)) facts.values.flag("elsewhere");
  add_reverse_path_filter(facts, window, retransmitted);
  return facts;
}

Verdict syn_sent_unanswered(const Window& window, const Thresholds& t) {
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  const auto retransmitted = window.increase(&TcpCounters::syn_retrans);
  if (!retransmitted) return Verdict::unknown(retransmitted.error());
  if (*retransmitted < t.syn_retrans_min) return Verdict::clear();
  std::vector<Destination> silent;
  for (const auto& service : by_service((*connections)->unanswered)) {
    if (service.local_ports < t.unanswered_min) break;
    if (has_lasted(window, service, t.unanswered_min) && wait_too_long(window, **connections, service) &&
        !is_own_queue(window, service) && !is_judged_soon(window, service) &&
        !has_recovered(window, service) && !is_restarted(window, service))
      silent.push_back(service);
  }
  if (silent.size() > kNamed) return Verdict::found({facts_about_many(window, silent, *retransmitted)});
  std::vector<Facts> found;
  found.reserve(silent.size());
  for (const auto& service : silent) {
    found.push_back(facts_about(window, destination_subject(service), service.local_ports, *retransmitted,
                                (*connections)->unanswered.size() == 1));
    add_where(found.back(), window, service);
    add_reverse_path_filter(found.back(), window, *retransmitted);
  }
  return Verdict::found(std::move(found));
}

constexpr auto kAdvice = std::to_array<AdviceText>({
    {"{?filtered}See which interface the answers come in by.",
     "tcpdump -nn -i any -c 20 '[host {address} and ]tcp[ port {port}]'",
     "A strict filter drops a SYN-ACK that comes in by a different interface from the one the SYN left by.",
     ""},
    {"{?filtered}Route the answers back the way the SYNs go, or let {interface} accept packets that come "
     "another way.",
     "sysctl -w net/ipv4/conf/{interface}/rp_filter=2",
     "Loose mode: a packet is accepted if its source can be reached by any interface.",
     "Packets with forged source addresses are filtered less strictly."},
    {"{?own}Look at the queue: the listener's Recv-Q is how many are waiting, Send-Q the limit.",
     "[nsenter -t {own_pid} -n ss -ltn '( sport = :{own_port} )'|ss -ltn '( sport = :{port} )']",
     "Recv-Q above Send-Q: the accept queue is full.", ""},
    {"See whether anything comes back: a SYN-ACK, a reset, an ICMP error, or nothing.",
     "tcpdump -nn -i any -c 20 'icmp or icmp6[ or (host {address} and tcp port {port})]'",
     "Nothing at all: a firewall drops them, the host is down, or its SYN queue or accept queue is full.",
     ""},
    {"{?elsewhere}Try from another host: if that one gets an answer, look at the path from here.",
     "nc -vz -w 3 {address} {port}", "Tells you whether it is the far end or the path.", ""},
    {"Look at this host's route and firewall.", "ip route get {address}",
     "Shows the interface and the source address that are used.", ""},
    {"See which programs are waiting.", "ss -tnp state syn-sent[ dst {destination}]",
     "Names them with their pids.", ""},
    {"{?elsewhere}If tcpdiagd runs on {destination}, ask it: a full queue there looks like this from here.",
     "tcpdiag check", "Names the listener whose queue is full.", ""},
});
constexpr std::string_view kNot[] = {
    "{?elsewhere}Raising net.core.somaxconn or a backlog in this network namespace: they limit what it "
    "accepts, not what it can reach.",
    "Raising net.ipv4.tcp_syn_retries[, now {retries}]: programs only wait longer before they fail."};

constexpr Rule kRules[] = {
    {.info =
         {.id = "syn-sent-unanswered",
          .family = "Client side",
          .severity = Severity::warning,
          .title = "A destination does not answer",
          .true_when =
              "Connections to one destination stay in SYN_SENT over two dumps of the socket "
              "table, more of them than handshakes in progress explain, and TCPSynRetrans "
              "rises. Those are left out that only have to ask again, because the queue in a namespace "
              "of this host that turned them away has room now.",
          .clients_see = "Programs on this host wait in connect() until their own timeout, or until "
                         "ETIMEDOUT (errno 110) after about two minutes.",
          .summary =
              "[{destination} does not answer: {waiting} connections wait in SYN_SENT][{services} "
              "destinations do not answer, {first_service} among them: {waiting} connections wait in "
              "SYN_SENT][ and {retransmitted} SYNs were sent again in {window}][; over all destinations, "
              "{retransmitted_to_all} SYNs were sent again in {window}]. [This host's own reverse path "
              "filter dropped {filtered} packets in {window} (IPReversePathFilter)[; it is strict on "
              "{strict_interfaces}]: most likely the answers, which come in by a different interface "
              "from the one the SYNs leave by.|That is this host itself[ ({own_place}, port {own_port})]: "
              "the accept queue of its listener {own_listener}[ ({own_owner})] was full ({own_length} of "
              "{own_limit})[, and the listener is gone now{?own_gone}].|That is this host itself[ "
              "({own_place}, port {own_port})]{?own}: its firewall drops them, or a queue was full when they "
              "arrived.|{?elsewhere}This network namespace has no such address: the far end drops them, "
              "or something on the path does, or another namespace of this host (a container) that has "
              "the address.|What drops them is not known: the far end, something on the path, or a queue "
              "of this host.]",
          .advice = kAdvice,
          .not_helping = kNot,
          .reads = "sock_diag, /proc/net/netstat; if they can be read /proc/net/fib_trie, "
                   "net.ipv4.conf.*.rp_filter"},
     .lookback = std::chrono::seconds(60),
     .evaluate = syn_sent_unanswered},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> unanswered_rules() { return kRules; }

}  // namespace tcpdiag
