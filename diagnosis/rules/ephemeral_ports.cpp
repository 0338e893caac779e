// SPDX-License-Identifier: Apache-2.0
// Local ports for connections to others. A port can be used once for each destination; one that a program
// takes by bind() before it connects can be used for one destination only. No counter of the kernel tells
// that they have run out: what is in use is counted.
#include "core/ephemeral_ports.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "diagnosis/counters.h"
#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/wanted_settings.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

constexpr double kTimeWaitSeconds = 60;  // fixed in the kernel
constexpr std::chrono::seconds kChurnLasts{10};

// The ports that connect() may choose, and what it does with those in TIME_WAIT.
struct PortRules {
  double ports = 0;
  PortRange range;
  std::int64_t reuse = 0;  // net.ipv4.tcp_tw_reuse
  bool timestamps = true;
};

// A port that somebody listens on is none that connect() may choose.
std::uint64_t ports_listened_on(const Window& window, const Settings& settings, PortRange range) {
  const auto listeners = window.latest(&NetnsView::listeners);
  const auto* reserved = settings.find("net.ipv4.ip_local_reserved_ports");
  const auto not_in_range = reserved == nullptr ? std::nullopt : parse_port_list(reserved->text);
  PortSet taken;
  if (listeners)
    for (const auto& listener : (*listeners)->listeners)
      if (range.contains(listener.endpoint.port)) taken.set(listener.endpoint.port);
  return (not_in_range ? taken & ~*not_in_range : taken).count();
}

Result<PortRules> port_rules(const Window& window) {
  const auto first = window.setting("net.ipv4.ip_local_port_range");
  const auto reuse = window.setting("net.ipv4.tcp_tw_reuse");
  const auto timestamps = window.setting("net.ipv4.tcp_timestamps");
  for (const auto* known : {&first, &reuse, &timestamps})
    if (!*known) return tl::unexpected<Error>(known->error());
  const auto& settings = **window.latest(&NetnsView::settings);
  const auto range = ephemeral_port_range(settings);
  const auto count = ephemeral_ports(settings);
  const auto listened_on = range ? ports_listened_on(window, settings, *range) : 0;
  if (!range || !count || *count <= listened_on)
    return unexpected(Errc::malformed, "net.ipv4.ip_local_port_range: leaves no port that can be counted");
  return PortRules{static_cast<double>(*count - listened_on), *range, *reuse, *timestamps != 0};
}

bool takes_over_time_wait(const PortRules& rules, const Destination& destination) {
  const bool loopback = is_loopback(destination.source) || is_loopback(destination.destination);
  return rules.timestamps && (rules.reuse == 1 || (rules.reuse == 2 && loopback));
}

// What holds the ports that connect() cannot have.
struct Held {
  double time_wait = 0, fin_wait2_orphaned = 0, close_wait = 0, open = 0;

  [[nodiscard]] double all() const { return time_wait + fin_wait2_orphaned + close_wait + open; }
};

Held ports_held(const PortRules& rules, const Destination& destination) {
  const auto named = destination.time_wait + destination.fin_wait2_orphaned + destination.close_wait;
  return {.time_wait = takes_over_time_wait(rules, destination) ? 0.0 : destination.time_wait,
          .fin_wait2_orphaned = static_cast<double>(destination.fin_wait2_orphaned),
          .close_wait = static_cast<double>(destination.close_wait),
          .open = static_cast<double>(destination.local_ports) - named};
}

// Of all client connections, which are more than those that hold `ports` ports when some share one.
Held held_by_all(const Connections& connections, double ports) {
  PortConnections sum = connections.client_other;
  for (const auto& row : connections.client) {
    for (std::size_t state = 0; state < kTcpStates; ++state) sum.by_state[state] += row.by_state[state];
    sum.fin_wait2_orphaned += row.fin_wait2_orphaned;
  }
  Held held{.time_wait = static_cast<double>(sum.count(TcpState::time_wait)),
            .fin_wait2_orphaned = static_cast<double>(sum.fin_wait2_orphaned),
            .close_wait = static_cast<double>(sum.count(TcpState::close_wait))};
  held.open = std::max(0.0, ports - held.all());
  return held;
}

struct HeldPart {
  double count;
  ValueName value_name;
  FlagName mostly;
  std::string_view evidence, words;
};

// The most first; only what holds some.
std::vector<HeldPart> parts_of(const Held& held) {
  std::vector<HeldPart> parts = {
      {held.time_wait, "time_wait", "mostly_time_wait", "of them in TIME_WAIT", "in TIME_WAIT"},
      {held.fin_wait2_orphaned, "fin_wait2", "mostly_fin_wait2", "of them in FIN_WAIT2, held by no process",
       "in FIN_WAIT2 (the peer does not close)"},
      {held.close_wait, "close_wait", "mostly_close_wait", "of them in CLOSE_WAIT",
       "in CLOSE_WAIT (the peer has closed, the program here has not)"},
      {held.open, "open", "mostly_open", "of them by open connections", "open"}};
  std::erase_if(parts, [](const HeldPart& part) { return part.count <= 0; });
  std::ranges::stable_sort(parts, std::greater(), &HeldPart::count);
  return parts;
}

// What the advice follows from: {mostly_fin_wait2} and the like are known when that holds most ports, and
// {no_fin_wait2}, {no_time_wait} when that holds none.
void add_states(Facts& facts, const Window& window, const PortRules& rules, const Held& held) {
  std::string states;
  const auto parts = parts_of(held);
  for (const auto& part : parts) {
    add_reading(facts, part.evidence, part.value_name, part.count, "ports");
    states += (states.empty() ? "" : ", ") + number_text(part.count) + " " + std::string(part.words);
  }
  facts.values["states"] = std::move(states);
  if (!parts.empty()) facts.values.flag(parts.front().mostly);
  if (held.time_wait == 0) facts.values.flag("no_time_wait");
  if (held.fin_wait2_orphaned == 0) facts.values.flag("no_fin_wait2");
  if (4 * held.time_wait > held.all() && rules.timestamps && rules.reuse != 1)
    facts.values["reuse"] = std::to_string(rules.reuse);
  const auto timeout = window.setting("net.ipv4.tcp_fin_timeout");
  if (!timeout || held.fin_wait2_orphaned == 0) return;
  facts.values["timeout"] = std::to_string(*timeout);
  if (*timeout > 5) facts.values["new_timeout"] = "5";
}

const Destination* same_in(const Connections& connections, const Destination& wanted) {
  const auto found = std::ranges::find_if(connections.destinations, [&](const Destination& each) {
    return each.source == wanted.source && each.destination == wanted.destination && each.port == wanted.port;
  });
  return found == connections.destinations.end() ? nullptr : &*found;
}

// Ports taken by bind() cannot be shared between destinations: there are nearly as many as connections.
// connect() alone shares them long before the range is used up, because it prefers every second one. While
// nearly all go to one destination that cannot be told: they share none either way.
bool is_bound(const Connections& connections) {
  constexpr double kNearlyAll = 0.9, kMostly = 0.8;
  const double all = connections.ephemeral_connections;
  const double busiest = connections.destinations.empty() ? 0 : connections.destinations.front().local_ports;
  return connections.ephemeral_ports_used >= kNearlyAll * all && busiest <= kMostly * all;
}

// Since when and how the number grew that was taken from each reading.
template <class Number>
std::optional<std::chrono::seconds> forecast(const Window& window, double limit, Number number) {
  const auto readings = window.readings(&NetnsView::connections);
  const auto& first = readings.front();
  const auto& last = readings.back();
  return time_to_reach(limit, {first.at, number(*first.value)}, {last.at, number(*last.value)});
}

void add_port_words(Facts& facts, const PortRules& rules) {
  facts.values["range"] = std::to_string(rules.range.first) + "-" + std::to_string(rules.range.last);
  if (const auto wider = wanted_port_range(rules.range)) facts.values["wider_range"] = sysctl_text(*wider);
  facts.bites = Bites{.limit = "net.ipv4.ip_local_port_range", .value = rules.ports};
}

// A server of this host that does not close what its clients have closed: whoever it is says why ports are
// held, and a leak found in that process explains this.
void name_own_server(Subject& subject, const Window& window, const Destination& destination,
                     const Held& held) {
  if (2 * held.fin_wait2_orphaned < held.all() || is_own_address(window, destination) != Known::yes) return;
  set_owner(subject, owner_of(window, own_listener(window, destination)));
}

// A program that connects meanwhile may still find one of the last few.
void add_left(Facts& facts, double used, double ports) {
  const double left = std::max(0.0, ports - used);
  facts.values["left"] = left == 0 ? "No local port is left" : "Almost no local port is left";
  facts.values["when"] = left == 0 ? "" : " for a program that finds none of the last " + number_text(left);
}

Facts facts_about(const Window& window, const PortRules& rules, const Destination& destination) {
  Facts facts{.subject = destination_subject(destination)};
  const auto by_state = ports_held(rules, destination);
  const auto held = by_state.all();
  add_reading(facts, "ephemeral ports in use for the destination", "used", held, "ports");
  add_reading(facts, "ephemeral ports", "ports", rules.ports, "ports");
  facts.values["source"] = to_string(destination.source);
  facts.values["share"] = percent_text(held / rules.ports);
  add_left(facts, held, rules.ports);
  add_port_words(facts, rules);
  add_states(facts, window, rules, by_state);
  name_own_server(facts.subject, window, destination, by_state);
  const auto held_then = [&](const Connections& then) {
    const auto* same = same_in(then, destination);
    return same == nullptr ? 0.0 : ports_held(rules, *same).all();
  };
  if (const auto time = forecast(window, rules.ports, held_then))
    facts.values["forecast"] = duration_text(*time);
  return facts;
}

Facts facts_about_bound(const Window& window, const Connections& connections, const PortRules& rules) {
  Facts facts;
  const double used = connections.ephemeral_ports_used;
  add_reading(facts, "ephemeral ports in use", "bound", used, "ports");
  add_reading(facts, "connections that use them", connections.ephemeral_connections, "connections");
  add_reading(facts, "ephemeral ports", "ports", rules.ports, "ports");
  facts.values["share"] = percent_text(used / rules.ports);
  add_left(facts, used, rules.ports);
  add_port_words(facts, rules);
  add_states(facts, window, rules, held_by_all(connections, used));
  const auto used_then = [](const Connections& then) {
    return static_cast<double>(then.ephemeral_ports_used);
  };
  if (const auto time = forecast(window, rules.ports, used_then))
    facts.values["forecast"] = duration_text(*time);
  return facts;
}

// The destinations for which at least that share of the ports is in use, or the namespace if bind() has taken
// them.
Verdict ports_used(const Window& window, double share) {
  const auto latest = window.latest(&NetnsView::connections);
  if (!latest) return Verdict::unknown(latest.error());
  const auto rules = port_rules(window);
  if (!rules) return Verdict::unknown(rules.error());
  const auto& connections = **latest;
  std::vector<Facts> found;
  for (const auto& destination : connections.destinations) {
    if (ports_held(*rules, destination).all() < share * rules->ports) continue;
    auto facts = facts_about(window, *rules, destination);
    // The same service from another source address: one of them says enough.
    const bool again =
        std::ranges::any_of(found, [&](const Facts& other) { return other.subject == facts.subject; });
    if (!again) found.push_back(std::move(facts));
  }
  if (found.empty() && connections.ephemeral_ports_used >= share * rules->ports && is_bound(connections))
    found.push_back(facts_about_bound(window, connections, *rules));
  return Verdict::found(std::move(found));
}

Verdict ephemeral_ports_exhausted(const Window& window, const Thresholds& t) {
  return ports_used(window, t.ports_exhausted);
}

Verdict ephemeral_ports_low(const Window& window, const Thresholds& t) {
  return ports_used(window, t.ports_low);
}

// Whether connections to it went into TIME_WAIT from each reading to the next at least at that rate, for
// long enough that it is no single burst.
bool churns(const std::vector<Dated<Connections>>& readings, const Destination& destination, double rate) {
  auto last = readings.size() - 1;
  const auto end = readings.back().at;
  for (; last > 0; --last) {
    const auto& [at, now] = readings[last];
    const auto& [before_at, before] = readings[last - 1];
    const auto *sockets = same_in(*now, destination), *sockets_before = same_in(*before, destination);
    if (sockets == nullptr || sockets_before == nullptr) return false;
    const auto least = rate * std::chrono::duration<double>(at - before_at).count();
    const double opened = sockets->local_ports - static_cast<double>(sockets_before->local_ports);
    const double closed = sockets->time_wait - static_cast<double>(sockets_before->time_wait);
    if (opened < least || closed < least) return false;
    if (end - before_at >= kChurnLasts) return true;
  }
  return false;
}

Verdict connection_churn(const Window& window, const Thresholds&) {
  const auto latest = window.latest(&NetnsView::connections);
  if (!latest) return Verdict::unknown(latest.error());
  const auto rules = port_rules(window);
  if (!rules) return Verdict::unknown(rules.error());
  const auto readings = window.readings(&NetnsView::connections);
  std::vector<Facts> found;
  for (const auto& destination : (*latest)->destinations) {
    const auto needed = rules->ports / kTimeWaitSeconds;
    if (takes_over_time_wait(*rules, destination) || !churns(readings, destination, needed)) continue;
    auto facts = facts_about(window, *rules, destination);
    const auto* before = same_in(*readings.front().value, destination);
    const Point first{readings.front().at, before == nullptr ? 0.0 : before->local_ports};
    if (const auto rate = slope(first, {readings.back().at, static_cast<double>(destination.local_ports)}))
      facts.values["rate"] = number_text(std::round(*rate));
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found));
}

constexpr std::string_view kFamily = "Client side";
constexpr std::string_view kReads =
    "sock_diag, net.ipv4.ip_local_port_range, net.ipv4.ip_local_reserved_ports, net.ipv4.tcp_tw_reuse, "
    "net.ipv4.tcp_timestamps, net.ipv4.tcp_fin_timeout";

constexpr AdviceText kReuseConnections{
    "Let the client reuse its connections[ to {destination}]: keep-alive, a connection pool.", "",
    "A port is taken once instead of once for every request.",
    "The server has to keep idle connections for longer than the client does, or the client gets resets."};
constexpr AdviceText kPeerCloses{
    "{?mostly_fin_wait2}Find out why the other end[, {owner},] does not close: it has received this host's "
    "FIN, and the same connections are in CLOSE_WAIT there.",
    "ss -tno state fin-wait-2[ dst {destination}] | head -n 20",
    "Shows the connections, and how long each still holds its port.", ""};
constexpr AdviceText kFinTimeout{"Give up sooner on connections whose peer does not close.",
                                 "sysctl -w net.ipv4.tcp_fin_timeout={new_timeout}",
                                 "A port in FIN_WAIT2 is free again after {new_timeout} s instead of "
                                 "{timeout} s; connections that are already closed keep the old time.",
                                 "A slow peer that still sends after that gets a reset."};
constexpr AdviceText kCloseHere{
    "{?mostly_close_wait}Have the program close connections whose other end has closed; restart it if that "
    "cannot wait.",
    "ss -tnp state close-wait[ dst {destination}] | head -n 20", "Names the programs with their pids.", ""};
constexpr AdviceText kWiden{"Widen the range of ephemeral ports, now {range}.",
                            "sysctl -w net.ipv4.ip_local_port_range='{wider_range}'",
                            "There are more ports for every destination, at once.",
                            "A service that starts later may find its port taken: list such ports in "
                            "net.ipv4.ip_local_reserved_ports first."};
constexpr AdviceText kTakeOver{
    "Let connect() take over ports in TIME_WAIT (net.ipv4.tcp_tw_reuse is {reuse}).",
    "sysctl -w net.ipv4.tcp_tw_reuse=1", "A port is free again one second after its connection was closed.",
    "Needs TCP timestamps at both ends; behind a NAT that several clients share, an old segment can end up "
    "in a new connection."};
constexpr AdviceText kMoreAddresses{
    "Spread the connections over more source addresses, or more addresses or ports of the destination.", "",
    "Each combination has {ports} ports of its own.", ""};
constexpr AdviceText kBindNoPort{
    "Where a program binds a source address before it connects, let it set IP_BIND_ADDRESS_NO_PORT (24) on "
    "the socket first.",
    "",
    "The port is chosen in connect(), when the destination is known, and can be shared between "
    "destinations[: {bound} ports would no longer be the limit].",
    "Needs Linux 4.2; nginx and HAProxy already do this."};
constexpr AdviceText kWho{
    "See which programs connect.", "ss -tnp[ dst {destination}] | head -n 20",
    "Names those of open connections; one in TIME_WAIT or FIN_WAIT2 no longer belongs to a process.", ""};

constexpr std::array kDestinationAdvice = {kPeerCloses,       kFinTimeout, kCloseHere,
                                           kReuseConnections, kWiden,      kTakeOver,
                                           kMoreAddresses,    kBindNoPort, kWho};
constexpr std::array kChurnAdvice = {kReuseConnections, kTakeOver, kWho};
constexpr std::string_view kNot[] = {
    "{?no_fin_wait2}Lowering net.ipv4.tcp_fin_timeout: it is for FIN_WAIT2, which holds no port now[; "
    "TIME_WAIT always lasts 60 s{?time_wait}].",
    "{?no_time_wait}net.ipv4.tcp_tw_reuse: it is for TIME_WAIT, which holds no port now.",
    "Lowering net.ipv4.tcp_max_tw_buckets: connections then close without TIME_WAIT, and a new one can get "
    "data of an old one.",
    "Raising net.core.somaxconn or a descriptor limit: neither has anything to do with local ports."};

constexpr std::string_view kExhaustedExplains[] = {"ephemeral-ports-low", "connection-churn"};
constexpr std::string_view kLowExplains[] = {"connection-churn"};

constexpr Rule kRules[] = {
    {.info = {.id = "ephemeral-ports-exhausted",
              .family = kFamily,
              .severity = Severity::critical,
              .title = "No local port left, or almost none",
              .true_when = "At least {t.ports_exhausted} of the ports of net.ipv4.ip_local_port_range, not "
                           "counting those that are reserved or listened on, are in use for one source "
                           "address, destination and port. TIME_WAIT and orphaned FIN_WAIT2 count, unless "
                           "net.ipv4.tcp_tw_reuse lets connect() take ports over from TIME_WAIT. Or all of "
                           "them are in use and none by two connections, as after bind() before connect().",
              .clients_see =
                  "Programs on this host cannot connect: EADDRNOTAVAIL (errno 99, Cannot assign requested "
                  "address), or from bind() EADDRINUSE (errno 98, Address already in use).",
              .summary =
                  "[{left} for connections from {source} to {destination}: {used} of {ports} ephemeral ports "
                  "({range}) are in use: {states}. connect() fails with EADDRNOTAVAIL (errno "
                  "99){when}.][{left}: {bound} of {ports} ephemeral ports ({range}) are in use ({states}), "
                  "each by one connection alone, because programs bind() before they connect(). bind() fails "
                  "with EADDRINUSE (errno 98), connect() with EADDRNOTAVAIL (errno 99){when}.]",
              .advice = kDestinationAdvice,
              .not_helping = kNot,
              .explains = kExhaustedExplains,
              .reads = kReads},
     .lookback = std::chrono::seconds(60),
     .evaluate = ephemeral_ports_exhausted},
    {.info =
         {.id = "ephemeral-ports-low",
          .family = kFamily,
          .severity = Severity::warning,
          .title = "Local ports are running out",
          .true_when = "At least {t.ports_low} of these ports are in use.",
          .clients_see = "Nothing yet. When no port is left, programs on this host cannot connect: "
                         "EADDRNOTAVAIL (errno 99).",
          .summary =
              "[{share} of the local ports for connections from {source} to {destination} are in use, {used} "
              "of {ports} ({range}): {states}[; at this rate none will be left in {forecast}].][{share} of "
              "the local ports are in use: {bound} of {ports} ({range}; {states}), each by one connection "
              "alone, because programs bind() before they connect()[; at this rate none will be left in "
              "{forecast}].]",
          .advice = kDestinationAdvice,
          .not_helping = kNot,
          .explains = kLowExplains,
          .reads = kReads},
     .lookback = std::chrono::seconds(60),
     .evaluate = ephemeral_ports_low},
    {.info = {.id = "connection-churn",
              .family = kFamily,
              .severity = Severity::info,
              .title = "Connections opened and closed faster than ports become free",
              .true_when = "For 10 s, connections to one destination have gone into TIME_WAIT at a rate that "
                           "uses up all ephemeral ports within its 60 s.",
              .clients_see = "Nothing yet.",
              .summary = "Connections from {source} to {destination} are opened and closed[ at {rate} a "
                         "second], and each holds its local port for 60 s in TIME_WAIT: {used} of {ports} "
                         "are in use[ and none will be left in {forecast}].",
              .advice = kChurnAdvice,
              .not_helping = kNot,
              .reads = kReads},
     .lookback = std::chrono::seconds(20),
     .evaluate = connection_churn},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> ephemeral_port_rules() { return kRules; }

}  // namespace tcpdiag
