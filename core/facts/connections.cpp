// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tcpdiag {

std::string_view to_string(TcpState state) {
  static constexpr std::array<std::string_view, kTcpStates> kNames = {
      "",          "established", "syn_sent",   "syn_recv", "fin_wait1", "fin_wait2",
      "time_wait", "close",       "close_wait", "last_ack", "listen",    "closing"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::uint64_t PortConnections::total() const {
  return std::accumulate(by_state.begin(), by_state.end(), std::uint64_t{0});
}

const PortConnections* find_server_port(const Connections& connections, std::uint16_t port) {
  const auto row = std::ranges::lower_bound(connections.server, port, {}, &PortConnections::port);
  return row == connections.server.end() || row->port != port ? nullptr : &*row;
}

PortConnections* find_server_port(Connections& connections, std::uint16_t port) {
  return const_cast<PortConnections*>(find_server_port(std::as_const(connections), port));
}

}  // namespace tcpdiag
