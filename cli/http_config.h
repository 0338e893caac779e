// SPDX-License-Identifier: Apache-2.0
// The HTTP client configuration file that promtool and amtool read: how a server is asked. The format is that
// of docs/configuration/promtool.md in github.com/prometheus/prometheus.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "exporters/text_source.h"
#include "exporters/web_config.h"

namespace tcpdiag {

struct BasicAuth {
  TextSource username, password;
};

/// "Authorization: TYPE CREDENTIALS".
struct Authorization {
  std::string type = "Bearer";
  TextSource credentials;
};

struct ClientTls {
  TextSource ca;            ///< PEM; not given: the authorities that the system trusts
  TextSource cert, key;     ///< PEM, both or none
  std::string server_name;  ///< what the server's certificate is for; empty: the URL's host
  bool insecure_skip_verify = false;
  std::optional<TlsVersion> min_version, max_version;  ///< empty: 1.2, and the newest
};

struct ProxyConfig {
  std::string url;       ///< may have a password in it; empty: no proxy
  std::string no_proxy;  ///< names, addresses and networks that are asked without it, separated by commas
  bool from_environment = false;  ///< http_proxy, https_proxy and no_proxy say it
};

struct HttpConfig {
  std::string name;  ///< of the file, for messages; empty: there is none
  std::optional<BasicAuth> basic_auth;
  std::optional<Authorization> authorization;
  ClientTls tls;
  ProxyConfig proxy;
  bool follow_redirects = true;
  bool enable_http2 = true;
};

inline constexpr std::size_t kMaxHttpConfigBytes = 256 << 10;

/// Strict: an unknown key, one that is there twice and one that cannot be honoured are errors. The detail
/// reads "NAME:LINE: KEY what is wrong with it", and never contains a secret. No file is read.
Result<HttpConfig> parse_http_config(const std::string& name, std::string_view text);

}  // namespace tcpdiag
