// SPDX-License-Identifier: Apache-2.0
// What a sysctl had better be. The lint and the rules about what happens ask here, so that no screen gives
// two values for one setting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/ephemeral_ports.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// The backlog that is worth a server's restart: some times `limit`, as the power of two that servers have.
std::uint64_t larger_backlog(std::uint64_t limit);

/// For net.core.somaxconn, at least the kernel's own value since Linux 5.4.
std::int64_t wanted_somaxconn(std::int64_t now);

/// Half of the buckets of the kernel's table of connections, its own value of net.ipv4.tcp_max_tw_buckets and
/// net.ipv4.tcp_max_orphans. Empty: this kernel does not show the table's size (before 6.1).
Result<std::optional<std::int64_t>> half_of_connection_table(const Window& window);

/// For net.ipv4.tcp_max_tw_buckets: the kernel's own value, or twice the present one if it is not below that.
std::int64_t wanted_time_wait_buckets(const Window& window, std::int64_t now);

/// For net.ipv4.ip_local_port_range: the kernel's own where that has many more ports, else a wider one.
/// Empty: there is none.
std::optional<PortRange> wanted_port_range(PortRange now);

/// As /proc/sys/net/ipv4/ip_local_port_range takes it: "32768 60999".
std::string sysctl_text(PortRange range);

}  // namespace tcpdiag
