// SPDX-License-Identifier: Apache-2.0
#include "exporters/web_security.h"

namespace tcpdiag {
namespace {

/// How much a client's certificate has to prove before the client may ask anything; more is stricter.
int strictness(ClientAuth auth) {
  switch (auth) {
    case ClientAuth::none:
    case ClientAuth::request:
    case ClientAuth::verify_if_given: return 0;  // who shows none comes in
    case ClientAuth::require_any: return 1;
    case ClientAuth::require_and_verify: return 2;
  }
  return 0;
}

}  // namespace

std::string what_is_lost(const WebSecurity& before, const WebSecurity& after) {
  std::string lost;
  const auto add = [&](std::string_view what) { lost.append(lost.empty() ? "" : " and ").append(what); };
  if (!before.users.empty() && after.users.empty()) add("the passwords (basic_auth_users)");
  if (!before.tls) return lost;
  if (!after.tls) {
    add("TLS (tls_server_config)");
    return lost;
  }
  const auto &had = before.tls->config(), &has = after.tls->config();
  if (strictness(has.client_auth) < strictness(had.client_auth))
    add("what clients' certificates must prove (client_auth_type)");
  if (!had.client_allowed_sans.empty() && has.client_allowed_sans.empty())
    add("the names that clients' certificates must have (client_allowed_sans)");
  return lost;
}

}  // namespace tcpdiag
