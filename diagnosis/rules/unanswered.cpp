// SPDX-License-Identifier: Apache-2.0
// Destinations that do not answer SYNs: the client's view of a firewall, a host that is down, a queue that is
// full at the other end.
#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "diagnosis/counters.h"
#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
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
  const auto opened = window.increase(kActiveOpens);
  return opened && waiting >= static_cast<double>(*opened) / static_cast<double>(window.span().count());
}

// A listener of this host that drops SYNs is found by the rules about its queues.
bool is_own_queue(const Window& window, const Destination& service) {
  const auto listeners = window.latest(&NetnsView::listeners);
  const auto drops = window.increase(kListenDrops);
  return service.source == service.destination && listeners && drops && *drops > 0 &&
         std::ranges::any_of((*listeners)->listeners, [&](const Listener& listener) {
           return listener.endpoint.port == service.port;
         });
}

// The kernel counts SYNs that are sent again for all destinations together.
Facts facts_about(const Window& window, Subject subject, double waiting, std::uint64_t retransmitted,
                  bool all_to_it) {
  Facts facts{.subject = std::move(subject)};
  add_reading(facts, "connections in SYN_SENT", "waiting", waiting, "connections");
  add_increase(facts, window, kSynRetrans.name, all_to_it ? "retransmitted" : "retransmitted_to_all",
               static_cast<double>(retransmitted), "SYNs");
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
  return facts;
}

Verdict syn_sent_unanswered(const Window& window, const Thresholds& t) {
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  const auto retransmitted = window.increase(kSynRetrans);
  if (!retransmitted) return Verdict::unknown(retransmitted.error());
  if (*retransmitted < t.syn_retrans_min) return Verdict::clear();
  std::vector<Destination> silent;
  for (const auto& service : by_service((*connections)->unanswered)) {
    if (service.local_ports < t.unanswered_min) break;
    if (has_lasted(window, service, t.unanswered_min) && wait_too_long(window, **connections, service) &&
        !is_own_queue(window, service))
      silent.push_back(service);
  }
  if (silent.size() > kNamed) return Verdict::found({facts_about_many(window, silent, *retransmitted)});
  std::vector<Facts> found;
  found.reserve(silent.size());
  for (const auto& service : silent)
    found.push_back(facts_about(window, destination_subject(service), service.local_ports, *retransmitted,
                                (*connections)->unanswered.size() == 1));
  return Verdict::found(std::move(found));
}

constexpr auto kAdvice = std::to_array<AdviceText>({
    {"See whether anything comes back: a SYN-ACK, a reset, an ICMP error, or nothing.",
     "tcpdump -nn -c 20 'icmp or icmp6[ or (host {address} and tcp port {port})]'",
     "Nothing at all: a firewall drops them, the host is down, or its SYN queue or accept queue is full.",
     ""},
    {"Ask from another host: if that one gets an answer, look at the way from here.",
     "nc -vz -w 3 {address} {port}", "Tells the far end from the path.", ""},
    {"Look at this host's route and firewall.", "ip route get {address}",
     "Shows the interface and the source address that are used.", ""},
    {"See which programs wait.", "ss -tnp state syn-sent[ dst {destination}]", "Names them with their pids.",
     ""},
    {"If tcpdiagd runs on {destination}, ask it: a full queue there looks like this from here.",
     "tcpdiag check", "Names the listener whose queue is full.", ""},
});
constexpr std::string_view kNot[] = {
    "Raising net.core.somaxconn or a backlog on this host: they limit what it accepts, not whom it reaches.",
    "Raising net.ipv4.tcp_syn_retries[, now {retries}]: programs only wait longer before they fail."};

// clang-format off
const Rule kRules[] = {
    {.info = {.id = "syn-sent-unanswered", .family = "Client side", .severity = Severity::warning,
              .title = "A destination does not answer",
              .true_when = "Connections to one destination stay in SYN_SENT over two dumps of the socket table, more than are under way in a "
                           "normal handshake, and TCPSynRetrans rises.",
              .clients_see = "Programs on this host wait in connect() until their own timeout, or until ETIMEDOUT (errno 110) after about two minutes.",
              .summary = "[{destination} does not answer: {waiting} connections wait in SYN_SENT]"
                         "[{services} destinations do not answer, {first_service} among them: {waiting} connections wait in SYN_SENT]"
                         "[ and {retransmitted} SYNs were sent again in {window}][; to all destinations together {retransmitted_to_all} SYNs were sent again "
                         "in {window}]. The far end or the path drops them, not this host's queues.",
              .advice = kAdvice, .not_helping = kNot,
              .reads = "sock_diag, /proc/net/netstat"},
     .lookback = std::chrono::seconds(60), .evaluate = syn_sent_unanswered},
};
// clang-format on

}  // namespace

std::span<const Rule> unanswered_rules() { return kRules; }

}  // namespace tcpdiag
