// SPDX-License-Identifier: Apache-2.0
#include "collectors/connections.h"

#include <algorithm>
#include <array>

#include "collectors/idle_connections.h"
#include "core/facts/listeners.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kListeners = 65536;  // half-open connections of further ones are not counted
constexpr std::uint32_t kAllStates = (1U << kTcpStates) - 2;  // there is no state 0

std::size_t index(TcpState state) { return static_cast<std::size_t>(state); }

// Where the listener of a half-open connection may stand, in the order in which the kernel looks for it: the
// exact address before the wildcard, a bound device before none. A half-open connection has its listener's
// family: one over IPv4 to a dual-stack listener is shown with an IPv4-mapped address.
std::array<Endpoint, 4> possible_listeners(const DiagSocket& socket) {
  const IpAddress any{.v6 = socket.source.v6};
  const auto port = socket.source_port;
  return {{{socket.source, port, socket.interface},
           {socket.source, port, 0},
           {any, port, socket.interface},
           {any, port, 0}}};
}

// Every port while the setting is not known.
PortRange ephemeral_ports_of(const NetnsView& netns) {
  const auto* settings = netns.settings.get();
  return settings == nullptr ? PortRange{} : ephemeral_port_range(*settings).value_or(PortRange{});
}

std::uint32_t Destination::* holder_of(const DiagSocket& socket) {
  switch (socket.state) {
    case TcpState::time_wait: return &Destination::time_wait;
    case TcpState::close_wait: return &Destination::close_wait;
    case TcpState::fin_wait2: return socket.inode == 0 ? &Destination::fin_wait2_orphaned : nullptr;
    default: return nullptr;
  }
}

void add_to(PortConnections& total, const PortConnections& part) {
  for (std::size_t state = 0; state < kTcpStates; ++state) total.by_state[state] += part.by_state[state];
  total.unaccepted += part.unaccepted;
  total.fin_wait2_orphaned += part.fin_wait2_orphaned;
  total.unwatched += part.unwatched;
  total.accepted += part.accepted;
  total.unread += part.unread;
}

std::vector<PortConnections> by_port(std::vector<PortConnections> rows) {
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.port < b.port; });
  return rows;
}

// Only of a port where something happens a rule can say something.
void keep_busiest(Connections& connections) {
  auto& rows = connections.server;
  if (rows.size() <= Connections::kServerPorts) return;
  connections.server_cut = rows.size() - Connections::kServerPorts;
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(Connections::kServerPorts);
  std::nth_element(rows.begin(), end, rows.end(), [](const PortConnections& a, const PortConnections& b) {
    return std::tuple(b.unaccepted, b.total(), a.port) < std::tuple(a.unaccepted, a.total(), b.port);
  });
  connections.server = by_port({rows.begin(), end});
}

void keep_busiest(std::vector<HalfOpen>& half_open) {
  if (half_open.size() <= Connections::kHalfOpen) return;
  const auto end = half_open.begin() + static_cast<std::ptrdiff_t>(Connections::kHalfOpen);
  std::nth_element(half_open.begin(), end, half_open.end(), [](const HalfOpen& a, const HalfOpen& b) {
    return std::tie(b.count, a.listener) < std::tie(a.count, b.listener);
  });
  half_open = {half_open.begin(), end};
  std::ranges::sort(half_open, {}, &HalfOpen::listener);
}

void split_clients(std::vector<PortConnections> rows, Connections& connections) {
  const auto kept = std::min(rows.size(), Connections::kClientPorts);
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept), rows.end(),
                    [](const auto& a, const auto& b) {
                      return a.total() != b.total() ? a.total() > b.total() : a.port < b.port;
                    });
  for (auto other = kept; other < rows.size(); ++other) add_to(connections.client_other, rows[other]);
  rows.resize(kept);
  connections.client = by_port(std::move(rows));
}

// The ports of the queues out of which nothing was seen to be taken for some seconds, the longest first; then
// those that no look found empty for longer, where the dump of their connections is a small one.
std::vector<std::uint16_t> ports_where_somebody_waits(const NetnsView& netns,
                                                      const Connections& connections) {
  constexpr std::chrono::seconds kStill{2}, kStanding{5};
  constexpr std::size_t kMost = 32;
  constexpr std::uint64_t kSmallDump = 4096;
  const auto* listeners = netns.listeners.get();
  if (listeners == nullptr) return {};
  const auto lasts = [&](const std::optional<QueueRun>& run, std::chrono::seconds least) {
    return run && run->until == netns.listeners.read_at && run->until - run->since >= least;
  };
  const auto is_small = [&](std::uint16_t port) {
    const auto* row = find_server_port(connections, port);
    return row != nullptr && row->total() <= kSmallDump;
  };
  std::vector<std::tuple<bool, TimePoint, std::uint16_t>> by_age;  // whether it is served
  for (const auto& listener : listeners->listeners) {
    const auto port = listener.endpoint.port;
    if (lasts(listener.still, kStill))
      by_age.emplace_back(false, listener.still->since, port);
    else if (lasts(listener.standing, kStanding) && is_small(port))
      by_age.emplace_back(true, listener.standing->since, port);
  }
  std::sort(by_age.begin(), by_age.end());
  std::vector<std::uint16_t> ports;
  for (const auto& [served, since, port] : by_age)
    if (ports.size() < kMost && std::find(ports.begin(), ports.end(), port) == ports.end())
      ports.push_back(port);
  return ports;
}

// An un-accepted connection has sent nothing yet. What cannot be read is left out: it is only wanted to say
// for how long somebody waits.
void add_waiting_times(const Reading& reading, Connections& connections) {
  const auto ports = ports_where_somebody_waits(reading.netns(), connections);
  if (ports.empty()) return;
  const SocketDump request{.states = state_bit(TcpState::established) | state_bit(TcpState::close_wait),
                           .tcp_info = true,
                           .local_ports = ports};
  (void)reading.source.dump_sockets(request, [&](std::span<const std::byte> payload) {
    const auto socket = parse_inet_diag(payload);
    if (!socket || socket->inode != 0) return;
    auto* row = find_server_port(connections, socket->source_port);
    if (row == nullptr) return;
    if (const auto waits = parse_last_data_sent(payload))
      row->unaccepted_longest = std::max(row->unaccepted_longest.value_or(*waits), *waits);
  });
}

bool is_quiet(const PortConnections& port) {
  const auto quiet = std::uint64_t{port.count(TcpState::listen)} + port.count(TcpState::established) +
                     port.count(TcpState::time_wait);
  return port.total() == quiet && port.unaccepted == 0 && port.unread == 0;
}

// Nothing in it becomes another thing by itself, without a segment: no process is waited for, no peer.
bool is_quiet(const Connections& connections) {
  const auto are = [](const auto& ports) {
    return std::ranges::all_of(ports, [](const PortConnections& port) { return is_quiet(port); });
  };
  return connections.server_cut == 0 && are(connections.server) && are(connections.client) &&
         is_quiet(connections.client_other) && connections.idle.empty() && connections.silent_peers.empty() &&
         connections.silent_cut == 0;
}

bool is_without_any(const Connections& connections) {
  return connections.client.empty() &&
         std::ranges::all_of(connections.server, [](const PortConnections& port) {
           return port.total() == port.count(TcpState::listen);
         });
}

}  // namespace

PortConnections& PortTable::row(std::uint16_t port) {
  auto& page = pages_.at(port / kPage);
  if (page == nullptr) page = std::make_unique<Page>();
  auto& place = (*page)[port % kPage];
  if (place == 0) {
    rows_.push_back({.port = port});
    place = static_cast<std::uint32_t>(rows_.size());
  }
  return rows_[place - 1];
}

void PortTable::clear() {
  for (const auto& row : rows_) (*pages_.at(row.port / kPage))[row.port % kPage] = 0;
  rows_.clear();
}

void ConnectionCounter::add(const DiagSocket& socket, PortRange ephemeral) {
  ++sockets_;
  if (socket.state == TcpState::listen) {
    ++server_.row(socket.source_port).by_state[index(TcpState::listen)];
    if (half_open_.size() < kListeners)
      half_open_.try_emplace({socket.source, socket.source_port, socket.interface});
    return;
  }
  const bool server = is_server(socket, ephemeral);
  const auto port = server ? socket.source_port : socket.destination_port;
  auto& row = server ? server_.row(port) : client_.row(port);
  ++row.by_state[index(socket.state)];
  const bool held = socket.inode != 0;
  switch (socket.state) {
    case TcpState::syn_sent: add_destination(socket, unanswered_); break;
    case TcpState::syn_recv: add_half_open(socket); break;
    case TcpState::close_wait:
      close_waits_.add(socket, server, port);
      // The peer's FIN counts as one byte.
      if (server && held && socket.receive_queue > 1) unread_.add(socket);
      [[fallthrough]];
    case TcpState::established:
      if (UnacknowledgedFollower::is_unacknowledged(socket)) unacknowledged_.add(socket, server, port);
      row.unwatched += socket.state == TcpState::established && held && is_unwatched(socket) ? 1 : 0;
      if (!server) break;
      if (held) {
        if (socket.state == TcpState::established) add_accepted(socket, row);
        break;
      }
      ++row.unaccepted;
      unaccepted_.add(port, socket.cookie);
      break;
    case TcpState::fin_wait2: row.fin_wait2_orphaned += held ? 0 : 1; break;
    default: break;
  }
  if (!server && ephemeral.contains(socket.source_port)) add_ephemeral(socket);
}

void ConnectionCounter::add_accepted(const DiagSocket& socket, PortConnections& row) {
  ++row.accepted;
  if (socket.receive_queue == 0) return;
  ++row.unread;
  unread_.add(socket);
}

void ConnectionCounter::add_ephemeral(const DiagSocket& socket) {
  add_destination(socket, destinations_, holder_of(socket));
  ephemeral_ports_.set(socket.source_port);
  ++ephemeral_connections_;
}

// An IPv4 connection of a dual-stack socket takes its port from the same ones as an IPv4 socket's.
void ConnectionCounter::add_destination(const DiagSocket& socket, DestinationCounter& to,
                                        std::uint32_t Destination::* held_by) {
  if (socket.destination.v6)
    to.add(socket.source.unmapped(), socket.destination.unmapped(), socket.destination_port, held_by);
  else
    to.add(socket.source, socket.destination, socket.destination_port, held_by);
}

// A listener that has just gone leaves connections behind: their local port is none that connect() chooses,
// the remote one is. Without that they would be clients of many ports that exist for one connection each.
// On a port that connect() did choose, anybody may listen on another address.
bool ConnectionCounter::is_server(const DiagSocket& socket, PortRange ephemeral) const {
  if (!ephemeral.contains(socket.source_port))
    return server_.contains(socket.source_port) || ephemeral.contains(socket.destination_port);
  return server_.contains(socket.source_port) &&
         std::ranges::any_of(possible_listeners(socket),
                             [this](const Endpoint& listener) { return half_open_.contains(listener); });
}

void ConnectionCounter::add_half_open(const DiagSocket& socket) {
  for (const auto& listener : possible_listeners(socket)) {
    if (const auto found = half_open_.find(listener); found != half_open_.end()) {
      auto& [all, lead, candidate] = found->second;
      ++all;
      if (lead == 0) candidate = socket.destination;
      lead += candidate == socket.destination ? 1 : ~0U;
      return;
    }
  }
}

Connections ConnectionCounter::finish(TimePoint now) {
  Connections connections{.server = by_port(server_.rows()),
                          .destinations = destinations_.busiest(Connections::kDestinations),
                          .destination_undercount = destinations_.undercount(),
                          .unanswered = unanswered_.busiest(Connections::kDestinations),
                          .ephemeral_ports_used = static_cast<std::uint32_t>(ephemeral_ports_.count()),
                          .ephemeral_connections = ephemeral_connections_,
                          .sockets = sockets_};
  unaccepted_.finish(connections.server);
  split_clients(client_.rows(), connections);
  for (const auto& [listener, found] : half_open_) {
    const bool mostly = found.lead > 0 && 2 * found.lead >= found.count;
    connections.half_open.push_back(
        {listener, found.count, mostly ? std::optional(found.candidate.unmapped()) : std::nullopt});
  }
  unread_.finish(now, connections);
  unacknowledged_.finish(now, connections);
  keep_busiest(connections);
  keep_busiest(connections.half_open);
  close_waits_.finish(now, connections);
  discard();
  return connections;
}

void ConnectionCounter::discard() {
  server_.clear();
  client_.clear();
  half_open_.clear();
  unaccepted_.discard();
  destinations_.clear();
  unanswered_.clear();
  ephemeral_ports_.reset();
  ephemeral_connections_ = 0;
  close_waits_.discard();
  unread_.discard();
  unacknowledged_.discard();
  sockets_ = 0;
}

void ConnectionCounter::forget_sockets() {
  close_waits_.forget();
  unaccepted_.forget();
  unread_.forget();
  unacknowledged_.forget();
}

std::optional<TimePoint> ConnectionsReader::still_holds(const Reading& reading) const {
  if (!rests_to_ || reading.now >= *rests_to_) return std::nullopt;
  return stillness_.lasts_until(reading.netns());
}

Result<Connections> ConnectionsReader::operator()(const Reading& reading) {
  rests_to_.reset();
  stillness_.begin(reading.netns());
  const auto ephemeral = ephemeral_ports_of(reading.netns());
  Result<void> parsed;
  const auto dumped = reading.source.dump_sockets({.states = kAllStates}, [&](auto payload) {
    if (!parsed) return;
    if (const auto socket = parse_inet_diag(payload))
      counter_.add(*socket, ephemeral);
    else
      parsed = tl::unexpected<Error>(socket.error());
  });
  // Before 5.6 the cookies of each namespace begin anew, so another one's could be taken for the former's.
  // That there is another one is known by the source's generation, in a recording only by the error before
  // it.
  const bool gone = !dumped && dumped.error().code == Errc::no_netns;
  const auto generation = reading.source.generation();
  if (generation != generation_ || gone) counter_.forget_sockets();
  generation_ = generation;
  if (dumped && parsed) {
    auto connections = counter_.finish(reading.now);
    add_waiting_times(reading, connections);
    counter_.close_waits().look_closer(reading.source, reading.now, connections);
    counter_.unread().look_closer(reading.source, reading.now, connections);
    UnacknowledgedFollower::look_closer(reading.source, connections);
    connections.idle = read_idle_connections(reading, connections);
    if (is_quiet(connections))
      rests_to_ = reading.now + longest_rest(is_without_any(connections) ? kLongestRestWithout : kLongestRest,
                                             reading.netns_id);
    return connections;
  }
  counter_.discard();
  return tl::unexpected<Error>(dumped ? parsed.error() : dumped.error());
}

}  // namespace tcpdiag
