// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/facts/settings.h"
#include "core/section.h"

namespace tcpdiag {

/// A range of ports, both ends included.
struct PortRange {
  std::uint16_t first = 0, last = 65535;

  [[nodiscard]] bool contains(std::uint16_t port) const { return first <= port && port <= last; }
};

/// The ports that connect() may choose by itself (net.ipv4.ip_local_port_range). Empty when that is not
/// known.
std::optional<PortRange> ephemeral_port_range(const Settings& settings);

using PortSet = std::bitset<65536>;

/// The ports of a list such as "8080,9000-9010" (net.ipv4.ip_local_reserved_ports); none for an empty one.
/// Empty when it is not such a list.
std::optional<PortSet> parse_port_list(std::string_view list);

/// How many ports connect() may choose: the range less the reserved ones in it. Empty when the range is not
/// known, or which ports are reserved.
Count ephemeral_ports(const Settings& settings);

}  // namespace tcpdiag
