// SPDX-License-Identifier: Apache-2.0
#include "exporters/web_security.h"

#include "tests/catch.h"
#include "tests/certificates.h"

using namespace tcpdiag;

namespace {

/// TLS that asks for this of clients.
std::shared_ptr<const TlsServer> tls(ClientAuth auth, std::vector<std::string> sans = {}) {
  static const auto kMade = make_certificate({});
  static const auto kCa = make_certificate({.purpose = Purpose::authority});
  TlsConfig config;
  config.client_auth = auth;
  config.client_allowed_sans = std::move(sans);
  auto made = TlsServer::make(config, {kMade.certificate, kMade.key, kCa.certificate});
  REQUIRE(made);
  return *made;
}

WebSecurity with(std::shared_ptr<const TlsServer> server, Users users = {}) {
  return {.tls = std::move(server), .users = std::move(users)};
}

const Users kAnna{{"anna", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"}};

}  // namespace

TEST_CASE("passwords and TLS that are gone are named with their keys", "[web]") {
  CHECK(what_is_lost(with(nullptr, kAnna), {}) == "the passwords (basic_auth_users)");
  CHECK(what_is_lost(with(tls(ClientAuth::none)), {}) == "TLS (tls_server_config)");
  CHECK(what_is_lost(with(tls(ClientAuth::none), kAnna), {}) ==
        "the passwords (basic_auth_users) and TLS (tls_server_config)");
}

TEST_CASE("a client's certificate that has to prove less is something lost", "[web]") {
  using enum ClientAuth;
  const std::string less = "what clients' certificates must prove (client_auth_type)";
  for (const auto open : {none, request, verify_if_given}) {
    CHECK(what_is_lost(with(tls(require_and_verify)), with(tls(open))) == less);
    CHECK(what_is_lost(with(tls(require_any)), with(tls(open))) == less);
    CHECK(what_is_lost(with(tls(open)), with(tls(require_any))).empty());
  }
  CHECK(what_is_lost(with(tls(require_and_verify)), with(tls(require_any))) == less);
  CHECK(what_is_lost(with(tls(require_any, {"a"})), with(tls(require_any))) ==
        "the names that clients' certificates must have (client_allowed_sans)");
}

TEST_CASE("other users, other names and all that is stricter lose nothing", "[web]") {
  using enum ClientAuth;
  const Users berta{{"berta", kAnna.begin()->second}};
  CHECK(what_is_lost({}, {}).empty());
  CHECK(what_is_lost({}, with(tls(none), kAnna)).empty());
  CHECK(what_is_lost(with(nullptr, kAnna), with(nullptr, berta)).empty());
  CHECK(what_is_lost(with(tls(require_any, {"a"})), with(tls(require_and_verify, {"b"}))).empty());
}
