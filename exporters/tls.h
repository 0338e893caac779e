// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "exporters/web_config.h"

struct gnutls_session_int;

namespace tcpdiag {

/// The PEM texts that a TlsConfig names, wherever they stood. `client_ca` is empty where it names none.
struct TlsTexts {
  std::string cert, key, client_ca;
};

/// What is known of the certificates that a server shows.
struct CertificateFacts {
  std::chrono::system_clock::time_point expires;  ///< of the one that runs out first
  std::vector<std::string> weaknesses;            ///< "RSA key of 1024 bits"; empty: none
};

/// Of PEM certificates: the server's own, and the intermediate ones behind it. Empty `weaknesses` and the
/// epoch as `expires`: there are none.
CertificateFacts certificate_facts(const std::string& pem);

/// What the log should say about certificates: that one has run out or will within 14 days, and keys and
/// signatures that are too weak. Each a sentence that begins with "cert_file: ".
std::vector<std::string> certificate_warnings(const CertificateFacts& facts,
                                              std::chrono::system_clock::time_point now);

/// What TLS connections are begun with: certificate, versions and ciphers, and what clients must show. It
/// must live as long as they do.
class TlsServer {
 public:
  /// The detail of an error names the key of the web configuration file: "cert_file: not PEM".
  static Result<std::shared_ptr<const TlsServer>> make(TlsConfig config, TlsTexts texts);
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  /// Makes `session` one of this server's, before its handshake. Where that fails, it must not go on.
  [[nodiscard]] bool begin(gnutls_session_int* session) const;

  [[nodiscard]] const TlsConfig& config() const { return config_; }
  [[nodiscard]] const CertificateFacts& facts() const { return facts_; }
  [[nodiscard]] const std::string& certificate() const { return texts_.cert; }
  [[nodiscard]] const std::string& key() const { return texts_.key; }

 private:
  struct Credentials;

  TlsServer(TlsConfig config, TlsTexts texts);
  /// 0, or GnuTLS's error for a client whose certificate is not good enough.
  int check_client(gnutls_session_int* session) const;

  TlsConfig config_;
  TlsTexts texts_;
  CertificateFacts facts_;
  std::unique_ptr<Credentials> credentials_;
};

}  // namespace tcpdiag
