// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/json_values.h"
#include "core/facts/netns_list.h"

namespace tcpdiag {

/// The published ports of a container in Docker's config.v2.json, one value after the other:
/// "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}} and its address,
/// {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}}. They stand there while it runs.
class DockerPorts {
 public:
  /// Whether a value at that path is part of one.
  static bool has(JsonPath path);

  /// Any value of the document; those that are part of none are left alone.
  void take(JsonPath path, std::string_view value);

  /// Those of TCP that are complete and valid, ordered, at most kMost. None where it has no address.
  [[nodiscard]] std::vector<PublishedPort> all() const;

  static constexpr std::size_t kMost = 256;

 private:
  struct Host {
    std::string address, port;
  };
  std::map<std::pair<std::string, std::string>, Host> hosts_;  // by "80/tcp" and the place in its list
  std::string address_;                                        // in the first of its networks
};

}  // namespace tcpdiag
