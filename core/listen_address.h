// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "core/address.h"
#include "core/result.h"

namespace tcpdiag {

/// Where the daemon's own HTTP server listens.
struct ListenAddress {
  std::optional<IpAddress> address;  ///< empty: every address of both families
  std::uint16_t port = 0;            ///< 0: the kernel chooses one

  bool operator==(const ListenAddress&) const = default;
};

/// "127.0.0.1", "::1". Empty: the text is no address. A zone is none of an address's.
std::optional<IpAddress> parse_ip_address(std::string_view text);

/// ":10180", "0.0.0.0:10180", "[::1]:10180" or "localhost:10180", which is 127.0.0.1. Other host names are
/// refused: the daemon does not wait for a resolver.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace tcpdiag
