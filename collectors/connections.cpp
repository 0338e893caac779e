// SPDX-License-Identifier: Apache-2.0
#include "collectors/connections.h"

#include <algorithm>

namespace tcpdiag {
namespace {

constexpr std::uint32_t kAllStates = (1U << kTcpStates) - 2;  // there is no state 0

std::size_t index(TcpState state) { return static_cast<std::size_t>(state); }

// How well a listener fits a half-open connection on its port; 0: not at all. As the kernel chooses: the
// exact address before the wildcard of its family before a dual-stack wildcard, and a bound device before
// none.
int match(const Endpoint& listener, const DiagSocket& socket) {
  if (listener.interface != 0 && listener.interface != socket.interface) return 0;
  const int device = listener.interface != 0 ? 1 : 0;
  const auto local = socket.source.unmapped();
  if (listener.address.unmapped() == local) return 6 + device;
  if (!listener.address.is_any()) return 0;
  if (listener.address.v6 == local.v6) return 4 + device;
  return listener.address.v6 ? 2 + device : 0;
}

PortRange ephemeral_ports(const NetnsView& netns) {
  const auto* settings = netns.settings.get();
  const auto* range = settings == nullptr ? nullptr : settings->find("net.ipv4.ip_local_port_range");
  if (range == nullptr || range->values.size() != 2) return {};
  return {static_cast<std::uint16_t>(range->values[0]), static_cast<std::uint16_t>(range->values[1])};
}

void add_to(PortConnections& total, const PortConnections& part) {
  for (std::size_t state = 0; state < kTcpStates; ++state) total.by_state[state] += part.by_state[state];
  total.unaccepted += part.unaccepted;
}

std::vector<PortConnections> by_port(std::vector<PortConnections> rows) {
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.port < b.port; });
  return rows;
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

}  // namespace

PortConnections& PortTable::row(std::uint16_t port) {
  if (row_of_[port] == 0) {
    rows_.push_back({.port = port});
    row_of_[port] = static_cast<std::uint32_t>(rows_.size());
  }
  return rows_[row_of_[port] - 1U];
}

void PortTable::clear() {
  for (const auto& row : rows_) row_of_[row.port] = 0;
  rows_.clear();
}

void ConnectionCounter::add(const DiagSocket& socket, PortRange ephemeral) {
  ++sockets_;
  if (socket.state == TcpState::listen) {
    add_listener(socket);
    return;
  }
  const bool server = server_.contains(socket.source_port);
  const auto port = server ? socket.source_port : socket.destination_port;
  auto& row = server ? server_.row(port) : client_.row(port);
  ++row.by_state[index(socket.state)];
  if (socket.state == TcpState::syn_recv) add_half_open(socket);
  if (socket.state == TcpState::close_wait) add_close_wait(socket, server, port);
  if (server && socket.inode == 0 &&
      (socket.state == TcpState::established || socket.state == TcpState::close_wait))
    ++row.unaccepted;
  if (!server && ephemeral.contains(socket.source_port))
    destinations_.add(socket.source, socket.destination, socket.destination_port);
}

void ConnectionCounter::add_listener(const DiagSocket& socket) {
  ++server_.row(socket.source_port).by_state[index(TcpState::listen)];
  const Endpoint endpoint{socket.source, socket.source_port, socket.interface};
  auto& on_port = half_open_[socket.source_port];
  if (std::none_of(on_port.begin(), on_port.end(),
                   [&](const auto& each) { return each.listener == endpoint; }))
    on_port.push_back({endpoint, 0});
}

void ConnectionCounter::add_half_open(const DiagSocket& socket) {
  const auto on_port = half_open_.find(socket.source_port);
  if (on_port == half_open_.end()) return;
  HalfOpen* best = nullptr;
  int best_match = 0;
  for (auto& each : on_port->second) {
    if (const int matched = match(each.listener, socket); matched > best_match) {
      best = &each;
      best_match = matched;
    }
  }
  if (best != nullptr) ++best->count;
}

void ConnectionCounter::add_close_wait(const DiagSocket& socket, bool server, std::uint16_t port) {
  if (socket.inode == 0) return;  // waits in an accept queue: counted as unaccepted
  // The known ones are the older ones: they are never cut for the sake of a new one.
  const bool known = close_wait_since_.contains(socket.cookie);
  if (!known && close_wait_.size() >= Connections::kCloseWaits) {
    ++close_wait_cut_;
    return;
  }
  close_wait_.push_back({port, server, socket.cookie, socket.inode, {}});
}

void ConnectionCounter::take_close_waits(TimePoint now, Connections& connections) {
  std::unordered_map<std::uint64_t, TimePoint> since;
  const auto shown_twice = [&](CloseWait& each) {
    const auto before = close_wait_since_.find(each.cookie);
    each.first_seen = before == close_wait_since_.end() ? now : before->second;
    return !since.emplace(each.cookie, each.first_seen).second;
  };
  std::erase_if(close_wait_, shown_twice);
  close_wait_since_ = std::move(since);
  std::stable_sort(close_wait_.begin(), close_wait_.end(),
                   [](const auto& a, const auto& b) { return a.first_seen < b.first_seen; });
  if (close_wait_.size() > Connections::kCloseWaits) {
    close_wait_cut_ += close_wait_.size() - Connections::kCloseWaits;
    close_wait_.resize(Connections::kCloseWaits);
  }
  connections.close_wait = close_wait_;
  connections.close_wait_cut = close_wait_cut_;
}

Connections ConnectionCounter::finish(TimePoint now) {
  Connections connections{.server = by_port(server_.rows()),
                          .destinations = destinations_.busiest(Connections::kDestinations),
                          .destination_undercount = destinations_.undercount(),
                          .sockets = sockets_};
  split_clients(client_.rows(), connections);
  for (const auto& [port, listeners] : half_open_)
    connections.half_open.insert(connections.half_open.end(), listeners.begin(), listeners.end());
  std::sort(connections.half_open.begin(), connections.half_open.end(),
            [](const auto& a, const auto& b) { return a.listener < b.listener; });
  take_close_waits(now, connections);
  discard();
  return connections;
}

void ConnectionCounter::discard() {
  server_.clear();
  client_.clear();
  half_open_.clear();
  destinations_.clear();
  close_wait_.clear();
  close_wait_cut_ = 0;
  sockets_ = 0;
}

Result<Connections> ConnectionsReader::operator()(const Reading& reading) {
  const auto ephemeral = ephemeral_ports(reading.netns());
  Result<void> parsed;
  const auto dumped = reading.source.dump_sockets({.states = kAllStates}, [&](auto payload) {
    if (!parsed) return;
    if (const auto socket = parse_inet_diag(payload))
      counter_.add(*socket, ephemeral);
    else
      parsed = tl::unexpected<Error>(socket.error());
  });
  if (dumped && parsed) return counter_.finish(reading.now);
  counter_.discard();
  return tl::unexpected<Error>(dumped ? parsed.error() : dumped.error());
}

}  // namespace tcpdiag
