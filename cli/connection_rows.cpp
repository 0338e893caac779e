// SPDX-License-Identifier: Apache-2.0
#include "cli/connection_rows.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace tcpdiag {
namespace {

/// A server port has its listeners among the states.
std::uint64_t without_listeners(const PortConnections& port) {
  return port.total() - port.count(TcpState::listen);
}

}  // namespace

std::vector<ConnectionRow> connection_rows(const Snapshot& snapshot, bool server) {
  std::vector<ConnectionRow> rows, others;
  for (const auto& netns : snapshot.namespaces) {
    const auto* share = netns.connections.get();
    if (share == nullptr) continue;
    for (const auto& port : server ? share->server : share->client)
      if (without_listeners(port) != 0) rows.push_back({&netns, &port, server});
    if (!server && share->client_other.total() != 0)
      others.push_back({&netns, &share->client_other, server, true});
  }
  std::ranges::stable_sort(rows, std::greater<>(), [](const ConnectionRow& row) {
    const auto& port = *row.connections;
    return std::tuple(port.unaccepted, port.count(TcpState::close_wait), port.count(TcpState::syn_sent),
                      port.count(TcpState::syn_recv), without_listeners(port));
  });
  rows.insert(rows.end(), others.begin(), others.end());
  return rows;
}

std::uint64_t in_states(const PortConnections& connections, std::initializer_list<TcpState> states) {
  std::uint64_t count = 0;
  for (const auto state : states) count += connections.count(state);
  return count;
}

const CloseWait* oldest_close_wait(const ConnectionRow& row) {
  if (row.other) return nullptr;
  const auto& all = row.netns->connections.get()->close_wait;  // the oldest first
  const auto found = std::ranges::find_if(all, [&](const CloseWait& socket) {
    return socket.server == row.server && socket.port == row.connections->port;
  });
  return found == all.end() ? nullptr : &*found;
}

std::string age_of(const CloseWait& socket, const NetnsView& netns) {
  return "≥" + age_text(netns.connections.read_at - socket.first_seen);
}

std::string age_text(std::chrono::nanoseconds age) {
  constexpr std::int64_t kMinute = 60, kHour = 3600, kDay = 86400;
  const auto all = std::chrono::floor<std::chrono::seconds>(age).count();
  const auto in_units = [&](std::int64_t unit, const char* name, std::int64_t part, const char* part_name) {
    const auto rest = all % unit / part;
    return std::to_string(all / unit) + name + (rest == 0 ? "" : std::to_string(rest) + part_name);
  };
  if (all >= kDay) return in_units(kDay, "d", kHour, "h");
  if (all >= kHour) return in_units(kHour, "h", kMinute, "m");
  return all >= kMinute ? in_units(kMinute, "m", 1, "s") : std::to_string(all) + "s";
}

}  // namespace tcpdiag
