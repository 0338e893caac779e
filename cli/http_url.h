// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tcpdiag {

/// Where a daemon is asked: "https://db1:10180".
struct HttpUrl {
  bool tls = false;
  std::string host;  ///< name or address, an IPv6 one without its brackets
  std::uint16_t port = 80;
  std::string path = "/";  ///< begins and ends with a slash

  bool operator==(const HttpUrl&) const = default;
};

/// "http://HOST[:PORT][/PATH]" or the same with https; the path is the place where a proxy shows the daemon.
/// User names, queries and what cannot stand in a request are refused. The detail of an error is one line for
/// the user, without a password.
Result<HttpUrl> parse_http_url(std::string_view text);

/// "db1:10180", "[::1]:10180": as in a request's Host.
std::string authority(const HttpUrl& url);

std::string to_string(const HttpUrl& url);

/// Whether it can stand in a URL as its host, an IPv6 address without its brackets.
bool is_host(std::string_view text);

/// Whether it is "http://HOST[:PORT]" or "socks5://HOST[:PORT]", with or without user name and password.
/// "socks5h" is one as well: the proxy resolves names.
bool is_proxy_url(std::string_view text);

}  // namespace tcpdiag
