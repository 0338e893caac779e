// SPDX-License-Identifier: Apache-2.0
#include "collectors/published_ports.h"

#include <algorithm>
#include <optional>

#include "core/listen_address.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kTcp = "/tcp";

std::optional<PublishedPort> parse_published(std::string_view inside, const std::string& address,
                                             const std::string& port) {
  const auto to = to_number<std::uint16_t>(inside.substr(0, inside.size() - kTcp.size()));
  const bool is_v6 = address.find(':') != std::string::npos;
  const auto outside = parse_listen_address((is_v6 ? "[" + address + "]" : address) + ":" + port);
  if (!to || *to == 0 || !outside || outside->port == 0) return std::nullopt;
  return PublishedPort{.address = outside->address.value_or(IpAddress()), .port = outside->port, .to = *to};
}

}  // namespace

bool PublishedPorts::has(JsonPath path) {
  constexpr std::size_t kKeys = 5;
  return path.size() == kKeys && path[0] == "NetworkSettings" && path[1] == "Ports" &&
         path[2].ends_with(kTcp) && (path[4] == "HostIp" || path[4] == "HostPort");
}

void PublishedPorts::take(JsonPath path, std::string_view value) {
  if (!has(path)) return;
  auto key = std::pair(path[2], path[3]);
  if (hosts_.size() >= FoundNetns::kMostPublished && !hosts_.contains(key)) return;
  auto& host = hosts_[std::move(key)];
  (path[4] == "HostIp" ? host.address : host.port) = value;
}

std::vector<PublishedPort> PublishedPorts::all() const {
  std::vector<PublishedPort> all;
  for (const auto& [inside, host] : hosts_)
    if (const auto port = parse_published(inside.first, host.address, host.port)) all.push_back(*port);
  std::ranges::sort(all);
  return all;
}

}  // namespace tcpdiag
