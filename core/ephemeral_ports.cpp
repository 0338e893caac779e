// SPDX-License-Identifier: Apache-2.0
#include "core/ephemeral_ports.h"

#include <algorithm>

#include "core/text.h"

namespace tcpdiag {
namespace {

std::optional<PortSet> reserved_ports(const Settings& settings) {
  constexpr std::string_view kReserved = "net.ipv4.ip_local_reserved_ports";
  if (std::ranges::find(settings.unread, kReserved, &UnreadSysctl::name) != settings.unread.end())
    return std::nullopt;
  const auto* reserved = settings.find(kReserved);
  return reserved == nullptr ? PortSet{} : parse_port_list(reserved->text);
}

}  // namespace

std::optional<PortRange> ephemeral_port_range(const Settings& settings) {
  const auto* range = settings.find("net.ipv4.ip_local_port_range");
  if (range == nullptr || range->values.size() != 2) return std::nullopt;
  const auto first = range->values[0], last = range->values[1];
  if (first < 0 || last > 65535 || first > last) return std::nullopt;
  return PortRange{static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)};
}

std::optional<PortSet> parse_port_list(std::string_view list) {
  PortSet ports;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto range = list.substr(0, comma);
    const auto dash = range.find('-');
    const auto first = to_number<std::uint16_t>(range.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : to_number<std::uint16_t>(range.substr(dash + 1));
    if (!first || !last || *first > *last) return std::nullopt;
    for (std::size_t port = *first; port <= *last; ++port) ports.set(port);
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
    if (list.empty()) return std::nullopt;  // ends with a comma
  }
  return ports;
}

Count ephemeral_ports(const Settings& settings) {
  const auto range = ephemeral_port_range(settings);
  const auto reserved = reserved_ports(settings);
  if (!range || !reserved) return std::nullopt;
  const std::size_t above = 65535U - range->last, ports = range->last - range->first + 1U;
  const auto reserved_there =
      (*reserved << above >> (above + range->first)).count();  // the rest is shifted out
  return ports - reserved_there;
}

}  // namespace tcpdiag
