// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"

#include <numeric>

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

}  // namespace tcpdiag
