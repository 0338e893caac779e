// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporters/password_checks.h"
#include "exporters/tls.h"
#include "exporters/web_config.h"

namespace tcpdiag {

/// Who may ask the HTTP server, and over what: a WebConfig with the certificates that it names.
struct WebSecurity {
  std::shared_ptr<const TlsServer> tls;                      ///< nullptr: plain HTTP
  Users users;                                               ///< empty: everybody may ask
  std::vector<std::pair<std::string, std::string>> headers;  ///< see WebConfig::headers
  std::optional<RateLimit> rate_limit;                       ///< empty: none
};

/// What kept strangers out under `before` and would not under `after`: passwords, TLS, what is asked of
/// clients' certificates. In words, with the keys of the web configuration file; empty: nothing. Other users,
/// another client CA and other allowed names are not less.
std::string what_is_lost(const WebSecurity& before, const WebSecurity& after);

}  // namespace tcpdiag
