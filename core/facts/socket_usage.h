// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "core/describe.h"
#include "core/section.h"

namespace tcpdiag {

/// /proc/net/sockstat and sockstat6. `tcp_in_use`, `tcp6_in_use` and `time_wait` belong to the namespace;
/// `orphans`, `allocated` and `memory_bytes` are the whole machine's in whichever namespace they are read.
struct SocketUsage {
  Count tcp_in_use;   ///< hashed IPv4 sockets, listeners included, TIME_WAIT not
  Count tcp6_in_use;  ///< the same for IPv6
  /// Both families; includes FIN_WAIT2 sockets that the kernel keeps in the same small form.
  Count time_wait;
  Count orphans;       ///< sockets that no process holds any more
  Count allocated;     ///< all TCP sockets that exist, closed ones still held by a process included
  Count memory_bytes;  ///< buffers of all TCP sockets
  Count page_bytes;    ///< size of a page, which net.ipv4.tcp_mem counts in; known where memory_bytes is

  /// What is the namespace's own.
  [[nodiscard]] std::array<Count, 3> own() const { return {tcp_in_use, tcp6_in_use, time_wait}; }
  bool operator==(const SocketUsage&) const = default;
};
constexpr std::string_view collector_of(Type<SocketUsage>) { return "sockstat"; }
constexpr auto members_of(Type<SocketUsage>, auto member) {
  return std::tuple(
      member("tcp_in_use", &SocketUsage::tcp_in_use), member("tcp6_in_use", &SocketUsage::tcp6_in_use),
      member("time_wait", &SocketUsage::time_wait), member("orphans", &SocketUsage::orphans),
      member("allocated", &SocketUsage::allocated), member("memory_bytes", &SocketUsage::memory_bytes),
      member("page_bytes", &SocketUsage::page_bytes));
}

}  // namespace tcpdiag
