// SPDX-License-Identifier: Apache-2.0
#include "exporters/tls_priority.h"

#include <algorithm>

namespace tcpdiag {
namespace {

// clang-format off
constexpr CipherSuite kCipherSuites[] = {
    {"TLS_AES_128_GCM_SHA256",                        "AES-128-GCM",       "AEAD", ""},
    {"TLS_AES_256_GCM_SHA384",                        "AES-256-GCM",       "AEAD", ""},
    {"TLS_CHACHA20_POLY1305_SHA256",                  "CHACHA20-POLY1305", "AEAD", ""},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",         "AES-128-GCM",       "AEAD", "ECDHE-RSA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",         "AES-256-GCM",       "AEAD", "ECDHE-RSA"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",   "CHACHA20-POLY1305", "AEAD", "ECDHE-RSA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",            "AES-128-CBC",       "SHA1", "ECDHE-RSA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",            "AES-256-CBC",       "SHA1", "ECDHE-RSA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",       "AES-128-GCM",       "AEAD", "ECDHE-ECDSA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",       "AES-256-GCM",       "AEAD", "ECDHE-ECDSA"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305", "AEAD", "ECDHE-ECDSA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",          "AES-128-CBC",       "SHA1", "ECDHE-ECDSA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",          "AES-256-CBC",       "SHA1", "ECDHE-ECDSA"},
};
constexpr Curve kCurves[] = {
    {"X25519",    "GROUP-X25519"},
    {"CurveP256", "GROUP-SECP256R1"},
    {"CurveP384", "GROUP-SECP384R1"},
    {"CurveP521", "GROUP-SECP521R1"},
};
// clang-format on

bool is_for_tls13(const CipherSuite& suite) { return suite.key_exchange.empty(); }

/// The suites that the configuration names and this key can do, in its order.
std::vector<CipherSuite> usable_suites(const TlsConfig& config, std::string_view key_exchange) {
  std::vector<CipherSuite> usable;
  for (const auto& name : config.cipher_suites) {
    const auto* suite = std::ranges::find(kCipherSuites, name, &CipherSuite::go_name);
    if (suite == std::end(kCipherSuites)) continue;  // parse_web_config() saw to it
    const auto version = is_for_tls13(*suite) ? TlsVersion::tls13 : TlsVersion::tls12;
    if (version < config.min_version || version > config.max_version) continue;
    if (is_for_tls13(*suite) || suite->key_exchange == key_exchange) usable.push_back(*suite);
  }
  return usable;
}

/// The name of a suite of TLS 1.3 whose cipher would be on in TLS 1.2, where nobody asked for it; empty:
/// none.
std::string_view only_in_tls13(const std::vector<CipherSuite>& suites) {
  for (const auto& suite : suites) {
    const auto in_tls12 = [&](const CipherSuite& other) {
      return !is_for_tls13(other) && other.cipher == suite.cipher;
    };
    if (is_for_tls13(suite) && std::ranges::none_of(suites, in_tls12)) return suite.go_name;
  }
  return {};
}

void append_once(std::string& priority, std::string_view word) {
  const auto item = ":+" + std::string(word);
  if ((priority + ":").find(item + ":") == std::string::npos) priority += item;
}

}  // namespace

std::span<const CipherSuite> cipher_suites() { return kCipherSuites; }

std::span<const Curve> curves() { return kCurves; }

Result<std::string> tls_priority(const TlsConfig& config, std::string_view key_exchange) {
  // keys are exchanged with forward secrecy only, as Go does
  std::string priority = "SECURE128:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-VERS-ALL";
  const auto suites = usable_suites(config, key_exchange);
  if (!config.cipher_suites.empty()) {
    const bool tls12 = config.min_version == TlsVersion::tls12;
    if (suites.empty() ||
        (config.max_version == TlsVersion::tls12 && std::ranges::all_of(suites, is_for_tls13)))
      return unexpected(Errc::malformed,
                        "cipher_suites names none that the certificate's key and the TLS versions allow");
    if (const auto name = only_in_tls13(suites); tls12 && !name.empty())
      return unexpected(Errc::malformed, "cipher_suites has " + std::string(name) +
                                             " but not the same cipher for TLS 1.2, which would be on too; "
                                             "name both, or set min_version to TLS13");
    priority += ":-CIPHER-ALL:-MAC-ALL";
    for (const auto& suite : suites) append_once(priority, suite.cipher);
    for (const auto& suite : suites) append_once(priority, suite.mac);
  }
  // ciphers of TLS 1.3 are all of the AEAD kind; offered without one, that version would fail for everybody
  const bool tls13 = config.max_version == TlsVersion::tls13 &&
                     (suites.empty() || std::ranges::count(suites, "AEAD", &CipherSuite::mac) > 0);
  if (tls13) priority += ":+VERS-TLS1.3";
  if (config.min_version == TlsVersion::tls12) priority += ":+VERS-TLS1.2";
  if (!config.curve_preferences.empty()) {
    priority += ":-GROUP-ALL";
    for (const auto& name : config.curve_preferences) {
      const auto* curve = std::ranges::find(kCurves, name, &Curve::go_name);
      if (curve != std::end(kCurves)) append_once(priority, curve->group);
    }
  }
  if (config.prefer_server_cipher_suites) priority += ":%SERVER_PRECEDENCE";
  return priority;
}

}  // namespace tcpdiag
