// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tcpdiag {

/// Where a daemon is asked: "http://db1:10180".
struct HttpUrl {
  std::string host;  ///< name or address, an IPv6 one without its brackets
  std::uint16_t port = 80;
  std::string path = "/";  ///< begins and ends with a slash

  bool operator==(const HttpUrl&) const = default;
};

/// "http://HOST[:PORT][/PATH]"; the path is the place where a proxy shows the daemon. HTTPS, user names,
/// queries and what cannot stand in a request are refused. The detail of an error is one line for the user.
Result<HttpUrl> parse_http_url(std::string_view text);

/// "db1:10180", "[::1]:10180": as in a request's Host.
std::string authority(const HttpUrl& url);

}  // namespace tcpdiag
