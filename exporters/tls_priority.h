// SPDX-License-Identifier: Apache-2.0
// What the web configuration file says in Go's words, in GnuTLS's.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "exporters/web_config.h"

namespace tcpdiag {

/// A cipher suite of TLS 1.2 with forward secrecy, or one of TLS 1.3.
struct CipherSuite {
  std::string_view go_name;  ///< as in Go's crypto/tls
  std::string_view cipher;   ///< GnuTLS's word for a priority string
  std::string_view mac;
  std::string_view key_exchange;  ///< "ECDHE-RSA" or "ECDHE-ECDSA"; empty: TLS 1.3, where it goes with any
};
std::span<const CipherSuite> cipher_suites();

/// An elliptic curve for the key exchange.
struct Curve {
  std::string_view go_name;
  std::string_view group;  ///< GnuTLS's word
};
std::span<const Curve> curves();

/// The priority string for gnutls_priority_init(3). `key_exchange` is what the server's key can do, as in
/// CipherSuite; suites for the other kind of key are left out, nobody could choose them.
///
/// GnuTLS switches ciphers for both versions at once: TLS 1.3 has those that the suites of TLS 1.2 name.
/// Errors: no suite is left; a cipher is asked for in TLS 1.3 alone while TLS 1.2 is on. The detail begins
/// with the key.
Result<std::string> tls_priority(const TlsConfig& config, std::string_view key_exchange);

}  // namespace tcpdiag
