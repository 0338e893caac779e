// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/flat_upstream.h"

#include <algorithm>
#include <set>
#include <vector>

#include "core/saturating.h"
#include "diagnosis/evidence.h"
#include "diagnosis/subjects.h"

namespace tcpdiag {
namespace {

// Fewer are no pool of connections.
constexpr std::uint32_t kPool = 2;
constexpr std::uint64_t kWorthAWord = 10;

std::set<std::uint16_t> ports_of(const Process& process, const NetnsView& view) {
  std::set<std::uint16_t> ports;
  if (const auto* listeners = view.listeners.get())
    for (const auto& listener : listeners->listeners)
      for (const auto& socket : listener.sockets)
        if (std::ranges::binary_search(process.listener_inodes, socket.inode))
          ports.insert(listener.endpoint.port);
  return ports;
}

// From where a quarter of the growth is done: until then the pool fills too.
std::optional<std::size_t> growth_begins(const Window& window, const Process& process) {
  std::vector<Count> open;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const auto* processes = window.snapshot(i).processes.get();
    const auto* then = processes == nullptr ? nullptr : find_process(*processes, process);
    open.push_back(then == nullptr ? Count() : then->open_fds);
  }
  const auto first = std::ranges::find_if(open, [](const Count& each) { return each.has_value(); });
  if (first == open.end() || !open.back() || *open.back() < saturating_add(**first, kWorthAWord))
    return std::nullopt;
  const auto quarter = **first + (*open.back() - **first) / 4;
  const auto begin =
      std::find_if(first, open.end(), [&](const Count& each) { return each && *each >= quarter; });
  return static_cast<std::size_t>(begin - open.begin());
}

double clients_of(const Connections& connections, const std::set<std::uint16_t>& ports) {
  std::uint64_t clients = 0;
  for (const auto& row : connections.server)
    if (ports.contains(row.port))
      clients += row.count(TcpState::established) + row.count(TcpState::close_wait);
  return static_cast<double>(clients);
}

std::uint32_t connections_to(const Connections& connections, const Destination& wanted) {
  for (const auto& each : connections.destinations)
    if (each.source == wanted.source && each.destination == wanted.destination && each.port == wanted.port)
      return each.local_ports;
  return 0;
}

// A pool is open: what is in TIME_WAIT stays the same as well while something else connects now and then.
bool is_open(const Connections& connections, const Destination& destination) {
  const auto row = std::ranges::find(connections.client, destination.port, &PortConnections::port);
  return row != connections.client.end() && row->count(TcpState::established) >= destination.local_ports;
}

std::optional<FlatUpstream> flat_in(const Window& window, std::size_t begin, const Process& process) {
  const auto ports = ports_of(process, window.netns());
  if (ports.empty()) return std::nullopt;
  std::vector<const Connections*> course;
  for (auto i = begin; i < window.size(); ++i) {
    const auto* connections = window.view(i).connections.get();
    if (connections != nullptr && (course.empty() || course.back() != connections))
      course.push_back(connections);
  }
  if (course.size() < 2) return std::nullopt;
  const auto grown = clients_of(*course.back(), ports) - clients_of(*course.front(), ports);
  if (grown < static_cast<double>(kWorthAWord)) return std::nullopt;
  for (const auto& destination : course.back()->destinations) {  // the busiest first
    if (destination.local_ports < kPool || ports.contains(destination.port)) continue;
    if (!is_open(*course.back(), destination)) continue;
    const bool flat = std::ranges::all_of(course, [&](const Connections* then) {
      return connections_to(*then, destination) == destination.local_ports;
    });
    if (flat) return FlatUpstream{destination, saturating_cast<std::uint64_t>(grown)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<FlatUpstream> flat_upstream(const Window& window, const Process& process) {
  if (process.listener_inodes.empty()) return std::nullopt;
  const auto begin = growth_begins(window, process);
  if (!begin) return std::nullopt;
  for (const auto& netns : window.newest().namespaces)
    if (auto upstream = flat_in(window.in(netns.id), *begin, process)) return upstream;
  return std::nullopt;
}

void add_upstream(Facts& facts, const Window& window, const Process& process) {
  const auto upstream = flat_upstream(window, process);
  if (!upstream) return;
  const auto name = to_string(destination_subject(upstream->destination));
  add_reading(facts, "connections to " + name + ", unchanged", "upstream_connections",
              upstream->destination.local_ports, "connections");
  facts.values["upstream"] = name;
  facts.values["clients"] = std::to_string(upstream->clients);
}

}  // namespace tcpdiag
