// SPDX-License-Identifier: Apache-2.0
#include "collectors/idle_connections.h"

#include <algorithm>
#include <set>

#include "core/facts/listeners.h"
#include "core/facts/processes.h"

namespace tcpdiag {
namespace {

// Fewer explain nothing.
constexpr std::uint32_t kWorthAsking = 16;
// A little below the share from which a process is said to run out, so that the numbers are there by then.
constexpr double kNearLimit = 0.75;

// Listening sockets of processes that are near their limit.
std::set<std::uint32_t> listeners_near_limit(const Snapshot& snapshot) {
  std::set<std::uint32_t> inodes;
  const auto* processes = snapshot.processes.get();
  if (processes == nullptr) return inodes;
  for (const auto& process : processes->processes)
    if (process.fd_ratio() >= kNearLimit)
      inodes.insert(process.listener_inodes.begin(), process.listener_inodes.end());
  return inodes;
}

// The ports among them where connections could be idle, the most such connections first.
std::vector<PortConnections> ports_to_ask(const Reading& reading, const Connections& connections) {
  std::vector<PortConnections> ports;
  const auto near_limit = listeners_near_limit(reading.previous);
  const auto* listeners = reading.netns().listeners.get();
  if (near_limit.empty() || listeners == nullptr) return ports;
  const auto holds = [&](const ListenerSocket& socket) { return near_limit.contains(socket.inode); };
  for (const auto& row : connections.server) {
    const auto is_held = [&](const Listener& listener) {
      return listener.endpoint.port == row.port && std::ranges::any_of(listener.sockets, holds);
    };
    if (row.unwatched >= kWorthAsking && std::ranges::any_of(listeners->listeners, is_held))
      ports.push_back(row);
  }
  std::ranges::stable_sort(ports, std::greater(), &PortConnections::unwatched);
  ports.resize(std::min(ports.size(), Connections::kIdlePorts));
  return ports;
}

IdleConnections read_idle(Source& source, std::uint16_t port) {
  IdleConnections idle{.port = port};
  const SocketDump request{
      .states = state_bit(TcpState::established), .tcp_info = true, .local_ports = {port}};
  const auto dumped = source.dump_sockets(request, [&](std::span<const std::byte> payload) {
    const auto sent = parse_last_data_sent(payload), received = parse_last_data_received(payload);
    if (!sent || !received) return;
    const auto socket = parse_inet_diag(payload);
    if (!socket || socket->state != TcpState::established || socket->source_port != port ||
        socket->inode == 0 || !is_unwatched(*socket))
      return;
    const auto since = std::min(*sent, *received);
    if (since < IdleConnections::kLong) return;
    const auto whole = std::chrono::floor<std::chrono::seconds>(since);
    idle.shortest = idle.count++ == 0 ? whole : std::min(idle.shortest, whole);
  });
  if (!dumped) idle.count = 0;
  return idle;
}

}  // namespace

bool is_unwatched(const DiagSocket& socket) {
  return socket.timer == DiagTimer::none && socket.send_queue == 0 && socket.receive_queue == 0;
}

std::vector<IdleConnections> read_idle_connections(const Reading& reading, const Connections& connections) {
  std::vector<IdleConnections> all;
  for (const auto& row : ports_to_ask(reading, connections))
    if (const auto idle = read_idle(reading.source, row.port); idle.count > 0) all.push_back(idle);
  return all;
}

}  // namespace tcpdiag
