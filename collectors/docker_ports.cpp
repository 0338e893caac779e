// SPDX-License-Identifier: Apache-2.0
#include "collectors/docker_ports.h"

#include <algorithm>
#include <optional>

#include "core/listen_address.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kTcp = "/tcp";

bool is_address(JsonPath path) {
  constexpr std::size_t kKeys = 4;
  return path.size() == kKeys && path[0] == "NetworkSettings" && path[1] == "Networks" &&
         path[3] == "IPAddress";
}

bool is_port(JsonPath path) {
  constexpr std::size_t kKeys = 5;
  return path.size() == kKeys && path[0] == "NetworkSettings" && path[1] == "Ports" &&
         path[2].ends_with(kTcp) && (path[4] == "HostIp" || path[4] == "HostPort");
}

std::optional<PublishedPort> parse_published(std::string_view inside, const std::string& address,
                                             const std::string& port, const IpAddress& container) {
  const auto to = to_number<std::uint16_t>(inside.substr(0, inside.size() - kTcp.size()));
  const auto host_port = to_number<std::uint16_t>(port);
  const auto host = address.empty() ? IpAddress() : parse_ip_address(address);  // before Docker 20 also all
  if (!to || *to == 0 || !host || !host_port || *host_port == 0) return std::nullopt;
  return PublishedPort{*host, *host_port, container, *to};
}

}  // namespace

bool DockerPorts::has(JsonPath path) { return is_port(path) || is_address(path); }

void DockerPorts::take(JsonPath path, std::string_view value) {
  if (is_address(path) && address_.empty()) address_ = value;
  if (!is_port(path)) return;
  auto key = std::pair(path[2], path[3]);
  if (hosts_.size() >= kMost && !hosts_.contains(key)) return;
  auto& host = hosts_[std::move(key)];
  (path[4] == "HostIp" ? host.address : host.port) = value;
}

std::vector<PublishedPort> DockerPorts::all() const {
  const auto container = parse_ip_address(address_);
  if (!container) return {};
  std::vector<PublishedPort> all;
  for (const auto& [inside, host] : hosts_)
    if (const auto port = parse_published(inside.first, host.address, host.port, *container))
      all.push_back(*port);
  std::ranges::sort(all);
  return all;
}

}  // namespace tcpdiag
