// SPDX-License-Identifier: Apache-2.0
#include "core/ephemeral_ports.h"

#include <algorithm>
#include <bitset>
#include <charconv>

namespace tcpdiag {
namespace {

using PortSet = std::bitset<65536>;

std::optional<std::uint16_t> to_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

/// "8080,9000-9010"; empty when it is anything else.
std::optional<PortSet> parse_ports(std::string_view text) {
  PortSet ports;
  while (!text.empty()) {
    const auto range = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), range.size() + 1));
    const auto dash = range.find('-');
    const auto first = to_port(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : to_port(range.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    for (std::uint32_t port = *first; port <= *last; ++port) ports.set(port);
  }
  return ports;
}

}  // namespace

Count ephemeral_ports(const Settings& settings) {
  const auto* range = settings.find("net.ipv4.ip_local_port_range");
  if (range == nullptr || range->values.size() != 2) return std::nullopt;
  const auto low = range->values[0], high = range->values[1];
  if (low < 0 || high > 65535 || low > high) return std::nullopt;

  constexpr std::string_view kReserved = "net.ipv4.ip_local_reserved_ports";
  if (std::ranges::find(settings.unread, kReserved, &UnreadSysctl::name) != settings.unread.end())
    return std::nullopt;
  const auto* reserved = settings.find(kReserved);
  const auto ports = reserved == nullptr ? PortSet{} : parse_ports(reserved->text);
  if (!ports) return std::nullopt;

  std::uint64_t count = 0;
  for (auto port = low; port <= high; ++port) count += ports->test(static_cast<std::size_t>(port)) ? 0U : 1U;
  return count;
}

}  // namespace tcpdiag
