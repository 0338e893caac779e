// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tcpdiag {

/// Which names the page and the API answer to. A page of somebody else's can have its own name resolve to
/// this host's address (DNS rebinding), and so read in a browser within the network what the browser may
/// reach; but it cannot change the name that the browser sends along.
class AllowedHosts {
 public:
  AllowedHosts() = default;
  /// `names`: "web1.example.com", or "*.example.com" for every name below it.
  explicit AllowedHosts(std::vector<std::string> names);

  /// `host`: as in the header of that name, "web1:10180". Always allowed: an address, localhost and what is
  /// below it, and none at all, which no browser sends.
  [[nodiscard]] bool allows(std::string_view host) const;

 private:
  std::vector<std::string> names_;
};

/// Whether AllowedHosts takes it as a name.
bool is_allowed_host_name(std::string_view name);

/// "[::1]": an IPv6 address as it stands in a URL, without a port or a zone.
bool is_address_in_brackets(std::string_view host);

}  // namespace tcpdiag
