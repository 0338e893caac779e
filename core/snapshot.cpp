// SPDX-License-Identifier: Apache-2.0
#include "core/snapshot.h"

#include <algorithm>
#include <numeric>

namespace tcpdiag {

double fill_ratio(const ListenerSocket& socket) {
  return std::min(1.0,
                  static_cast<double>(socket.queue_length) / (static_cast<double>(socket.queue_limit) + 1));
}

bool is_full(const ListenerSocket& socket) { return socket.queue_length > socket.queue_limit; }

const ListenerSocket& Listener::fullest() const {
  return *std::max_element(
      sockets.begin(), sockets.end(),
      [](const ListenerSocket& a, const ListenerSocket& b) { return fill_ratio(a) < fill_ratio(b); });
}

std::uint64_t PortConnections::total() const {
  return std::accumulate(by_state.begin(), by_state.end(), std::uint64_t{0});
}

const Sysctl* Settings::find(std::string_view name) const {
  const auto found =
      std::find_if(sysctls.begin(), sysctls.end(), [&](const Sysctl& sysctl) { return sysctl.name == name; });
  return found == sysctls.end() ? nullptr : &*found;
}

std::optional<double> Process::fd_ratio() const {
  if (!open_fds || !soft_limit || *soft_limit == 0) return std::nullopt;
  return static_cast<double>(*open_fds) / static_cast<double>(*soft_limit);
}

std::string_view to_string(TcpState state) {
  static constexpr std::array<std::string_view, kTcpStates> kNames = {
      "",          "established", "syn_sent",   "syn_recv", "fin_wait1", "fin_wait2",
      "time_wait", "close",       "close_wait", "last_ack", "listen",    "closing"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::string_view to_string(KernelEventKind kind) {
  static constexpr std::array<std::string_view, kKernelEventKinds> kNames = {"syn_flood",
                                                                             "tcp_memory",
                                                                             "orphans",
                                                                             "time_wait_overflow",
                                                                             "conntrack_full",
                                                                             "conntrack_expectations_full",
                                                                             "file_max",
                                                                             "neighbour_table",
                                                                             "open_request_dropped",
                                                                             "messages_suppressed",
                                                                             "window_scaling",
                                                                             "page_allocation",
                                                                             "out_of_memory_kill",
                                                                             "suspect_gro",
                                                                             "netdev_watchdog"};
  return kNames.at(static_cast<std::size_t>(kind));
}

}  // namespace tcpdiag
