// SPDX-License-Identifier: Apache-2.0
#include "exporters/tls_priority.h"

#include <gnutls/gnutls.h>

#include <algorithm>
#include <set>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

/// The cipher suites that GnuTLS makes of a priority string, by IANA's names, which are Go's.
std::set<std::string> suites_of(const std::string& priority) {
  gnutls_priority_t cache = nullptr;
  REQUIRE(gnutls_priority_init(&cache, priority.c_str(), nullptr) == GNUTLS_E_SUCCESS);
  std::set<std::string> names;
  unsigned index = 0;
  for (unsigned i = 0;
       gnutls_priority_get_cipher_suite_index(cache, i, &index) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
       ++i) {
    const char* name = gnutls_cipher_suite_info(index, nullptr, nullptr, nullptr, nullptr, nullptr);
    if (name != nullptr) names.insert(name);
  }
  gnutls_priority_deinit(cache);
  return names;
}

std::string priority_of(const TlsConfig& config, std::string_view key = "ECDHE-RSA") {
  const auto priority = tls_priority(config, key);
  if (!priority) FAIL(priority.error().detail);
  return *priority;
}

std::string complaint(const TlsConfig& config) {
  const auto priority = tls_priority(config, "ECDHE-RSA");
  REQUIRE_FALSE(priority);
  return priority.error().detail;
}

}  // namespace

TEST_CASE("GnuTLS understands every cipher suite and curve that may be named", "[tls]") {
  for (const auto& suite : cipher_suites()) {
    INFO(suite.go_name);
    TlsConfig config{.cipher_suites = {std::string(suite.go_name)}};
    if (suite.key_exchange.empty()) config.min_version = TlsVersion::tls13;
    if (suite.mac != "AEAD") config.max_version = TlsVersion::tls12;
    const auto key = suite.key_exchange.empty() ? "ECDHE-RSA" : suite.key_exchange;
    CHECK_FALSE(suites_of(priority_of(config, key)).empty());
  }
  for (const auto& curve : curves()) {
    INFO(curve.go_name);
    CHECK_FALSE(suites_of(priority_of({.curve_preferences = {std::string(curve.go_name)}})).empty());
  }
}

TEST_CASE("by default there are TLS 1.2 and 1.3, all with forward secrecy", "[tls]") {
  const auto priority = priority_of({});
  CHECK_THAT(priority, ContainsSubstring(":-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"));
  const auto suites = suites_of(priority);
  CHECK(suites.size() > 5);
  for (const auto& suite : suites)
    CHECK((suite.find("ECDHE") != std::string::npos || suite.find("_GCM_") || suite.find("_CCM")));
  CHECK(std::ranges::none_of(suites, [](const auto& suite) {
    return suite.starts_with("GNUTLS_RSA_") || suite.starts_with("TLS_RSA_");
  }));
}

TEST_CASE("versions are left out as they are asked to be", "[tls]") {
  CHECK_THAT(priority_of({.min_version = TlsVersion::tls13}), !ContainsSubstring("+VERS-TLS1.2"));
  CHECK_THAT(priority_of({.max_version = TlsVersion::tls12}), !ContainsSubstring("+VERS-TLS1.3"));
  CHECK_THAT(priority_of({.prefer_server_cipher_suites = false}), !ContainsSubstring("%SERVER_PRECEDENCE"));
}

TEST_CASE("named cipher suites are all there is, in their order", "[tls]") {
  const TlsConfig config{.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                                           "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                                           "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"}};
  CHECK_THAT(priority_of(config), ContainsSubstring("-CIPHER-ALL:-MAC-ALL:+AES-256-GCM:+AES-128-GCM:+AEAD:"));
  CHECK_THAT(priority_of(config, "ECDHE-ECDSA"),
             ContainsSubstring("-CIPHER-ALL:-MAC-ALL:+CHACHA20-POLY1305:+AEAD:"));
}

TEST_CASE("with suites of the CBC kind alone there is no TLS 1.3", "[tls]") {
  const TlsConfig config{.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"}};
  CHECK_THAT(priority_of(config), !ContainsSubstring("+VERS-TLS1.3"));
}

TEST_CASE("cipher suites that nobody could choose are an error", "[tls]") {
  const std::string none = "cipher_suites names none that the certificate's key and the TLS versions allow";
  CHECK(complaint({.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}}) == none);
  CHECK(complaint({.min_version = TlsVersion::tls13,
                   .cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}}) == none);
  CHECK(complaint({.max_version = TlsVersion::tls12, .cipher_suites = {"TLS_AES_128_GCM_SHA256"}}) == none);
}

TEST_CASE("a cipher that is named for TLS 1.3 alone would be on in 1.2, which is an error", "[tls]") {
  CHECK(complaint({.cipher_suites = {"TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}}) ==
        "cipher_suites has TLS_AES_128_GCM_SHA256 but not the same cipher for TLS 1.2, which would be on "
        "too; name both, or set min_version to TLS13");
  const TlsConfig config{.min_version = TlsVersion::tls13, .cipher_suites = {"TLS_AES_256_GCM_SHA384"}};
  CHECK(suites_of(priority_of(config)).size() == 1);
}

TEST_CASE("named curves are all there is, in their order", "[tls]") {
  CHECK_THAT(priority_of({.curve_preferences = {"CurveP384", "X25519", "CurveP384"}}),
             ContainsSubstring(":-GROUP-ALL:+GROUP-SECP384R1:+GROUP-X25519:%"));
}
