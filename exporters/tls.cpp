// SPDX-License-Identifier: Apache-2.0
#include "exporters/tls.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "exporters/tls_priority.h"

namespace tcpdiag {
namespace {

gnutls_datum_t datum(const std::string& text) {
  // GnuTLS takes a pointer to what it could change and does not
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned>(text.size())};
}

struct FreeCertificate {
  void operator()(gnutls_x509_crt_t certificate) const { gnutls_x509_crt_deinit(certificate); }
};
using Certificate = std::unique_ptr<gnutls_x509_crt_int, FreeCertificate>;

/// The first certificate of a text; nullptr: there is none.
Certificate parse_certificate(const gnutls_datum_t& text, gnutls_x509_crt_fmt_t format) {
  gnutls_x509_crt_t made = nullptr;
  if (gnutls_x509_crt_init(&made) != GNUTLS_E_SUCCESS) return nullptr;
  Certificate certificate(made);
  return gnutls_x509_crt_import(made, &text, format) == GNUTLS_E_SUCCESS ? std::move(certificate) : nullptr;
}

/// How the key of a certificate takes part in a key exchange, as in CipherSuite; empty: in no way we serve.
std::string_view key_exchange_of(const std::string& certificate_text) {
  const auto text = datum(certificate_text);
  const auto certificate = parse_certificate(text, GNUTLS_X509_FMT_PEM);
  if (!certificate) return {};
  switch (gnutls_x509_crt_get_pk_algorithm(certificate.get(), nullptr)) {
    case GNUTLS_PK_RSA:
    case GNUTLS_PK_RSA_PSS: return "ECDHE-RSA";
    case GNUTLS_PK_ECDSA:
    case GNUTLS_PK_EDDSA_ED25519:
    case GNUTLS_PK_EDDSA_ED448: return "ECDHE-ECDSA";
    default: return {};
  }
}

/// As Go writes it: an IPv4 address in IPv6's clothes is an IPv4 address.
std::string address_text(std::string_view bytes) {
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  if (bytes.size() == 16 && bytes.starts_with(kMapped)) bytes.remove_prefix(kMapped.size());
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

/// The subject alternative names of the kinds that can be allowed.
std::vector<std::string> names_of(gnutls_x509_crt_t certificate) {
  constexpr std::size_t kMostNames = 1000;
  std::vector<std::string> names;
  for (unsigned i = 0; i < kMostNames; ++i) {
    std::array<char, 1024> buffer{};
    std::size_t size = buffer.size();
    unsigned type = 0;
    const int result =
        gnutls_x509_crt_get_subject_alt_name2(certificate, i, buffer.data(), &size, &type, nullptr);
    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) break;
    if (result < 0) continue;  // one that is longer than any that could be allowed, or not understood
    const std::string_view name(buffer.data(), std::min(size, buffer.size()));
    switch (type) {
      case GNUTLS_SAN_DNSNAME:
      case GNUTLS_SAN_RFC822NAME:
      case GNUTLS_SAN_URI: names.emplace_back(name); break;
      case GNUTLS_SAN_IPADDRESS: names.push_back(address_text(name)); break;
      default: break;
    }
  }
  return names;
}

/// Whether it is signed by the client CA, in force, and meant for clients.
bool is_verified(gnutls_session_t session) {
  std::string purpose = GNUTLS_KP_TLS_WWW_CLIENT;
  gnutls_typed_vdata_st wanted{.type = GNUTLS_DT_KEY_PURPOSE_OID,
                               .data = reinterpret_cast<unsigned char*>(purpose.data())};
  unsigned status = 0;
  return gnutls_certificate_verify_peers(session, &wanted, 1, &status) == GNUTLS_E_SUCCESS && status == 0;
}

/// "2026-11-30".
std::string day_of(std::chrono::system_clock::time_point time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

void add_weaknesses(gnutls_x509_crt_t certificate, std::vector<std::string>& weaknesses) {
  constexpr unsigned kLeastRsaBits = 2048, kLeastCurveBits = 224;
  unsigned bits = 0;
  const auto algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);
  const bool rsa = algorithm == GNUTLS_PK_RSA || algorithm == GNUTLS_PK_RSA_PSS;
  if (algorithm >= 0 && bits != 0 && bits < (rsa ? kLeastRsaBits : kLeastCurveBits))
    weaknesses.push_back("an " + std::string(rsa ? "RSA" : "elliptic curve") + " key of " +
                         std::to_string(bits) + " bits");
  const int signature = gnutls_x509_crt_get_signature_algorithm(certificate);
  const bool signed_by_itself =
      gnutls_x509_crt_check_issuer(certificate, certificate) != 0;  // proves nothing
  if (signature > 0 && !signed_by_itself &&
      gnutls_sign_is_secure(static_cast<gnutls_sign_algorithm_t>(signature)) == 0)
    weaknesses.push_back("the signature " +
                         std::string(gnutls_sign_get_name(static_cast<gnutls_sign_algorithm_t>(signature))));
}

std::string reason(int error) { return gnutls_strerror(error); }

}  // namespace

CertificateFacts certificate_facts(const std::string& pem) {
  const auto text = datum(pem);
  gnutls_x509_crt_t* list = nullptr;
  unsigned size = 0;
  CertificateFacts facts;
  if (gnutls_x509_crt_list_import2(&list, &size, &text, GNUTLS_X509_FMT_PEM, 0) < 0) return facts;
  for (unsigned i = 0; i < size; ++i) {
    const Certificate certificate(list[i]);
    const auto expires =
        std::chrono::system_clock::from_time_t(gnutls_x509_crt_get_expiration_time(certificate.get()));
    if (i == 0 || expires < facts.expires) facts.expires = expires;
    add_weaknesses(certificate.get(), facts.weaknesses);
  }
  gnutls_free(static_cast<void*>(list));
  return facts;
}

std::vector<std::string> certificate_warnings(const CertificateFacts& facts,
                                              std::chrono::system_clock::time_point now) {
  constexpr auto kSoon = std::chrono::days(14);
  std::vector<std::string> warnings;
  const auto left = facts.expires - now;
  const bool expired = left.count() <= 0;
  if (left <= kSoon)
    warnings.push_back("cert_file: the certificate " + std::string(expired ? "expired on " : "expires on ") +
                       day_of(facts.expires) + ": clients that verify it " +
                       (expired ? "fail" : "will fail from then on"));
  for (const auto& weakness : facts.weaknesses)
    warnings.push_back("cert_file: the certificate has " + weakness + ", which is too weak");
  return warnings;
}

struct TlsServer::Credentials {
  gnutls_certificate_credentials_t certificate = nullptr;
  gnutls_priority_t priority = nullptr;

  Credentials() = default;
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials() {
    if (certificate != nullptr) gnutls_certificate_free_credentials(certificate);
    if (priority != nullptr) gnutls_priority_deinit(priority);
  }

  /// Empty: done; otherwise what is wrong, beginning with the key.
  std::string load(const TlsConfig& config, const TlsTexts& texts) {
    if (const int error = gnutls_certificate_allocate_credentials(&certificate); error < 0)
      return reason(error);
    const auto key_exchange = key_exchange_of(texts.cert);
    if (key_exchange.empty()) return "cert_file: not a PEM certificate with an RSA or elliptic curve key";
    const auto cert = datum(texts.cert), key = datum(texts.key), client_ca = datum(texts.client_ca);
    const int loaded =
        gnutls_certificate_set_x509_key_mem2(certificate, &cert, &key, GNUTLS_X509_FMT_PEM, nullptr, 0);
    if (loaded == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) return "key_file: not the key of the certificate";
    if (loaded < 0) return "cert_file and key_file: " + reason(loaded);
    if (config.client_ca.given()) {
      const int authorities =
          gnutls_certificate_set_x509_trust_mem(certificate, &client_ca, GNUTLS_X509_FMT_PEM);
      if (authorities <= 0) return "client_ca_file: not a PEM certificate";
    }
    const auto text = tls_priority(config, key_exchange);
    if (!text) return text.error().detail;
    const int error = gnutls_priority_init(&priority, text->c_str(), nullptr);
    return error < 0 ? "cipher_suites, curve_preferences: " + reason(error) : "";
  }
};

TlsServer::TlsServer(TlsConfig config, TlsTexts texts)
    : config_(std::move(config)),
      texts_(std::move(texts)),
      facts_(certificate_facts(texts_.cert)),
      credentials_(std::make_unique<Credentials>()) {}

TlsServer::~TlsServer() { ::explicit_bzero(texts_.key.data(), texts_.key.size()); }

Result<std::shared_ptr<const TlsServer>> TlsServer::make(TlsConfig config, TlsTexts texts) {
  std::shared_ptr<TlsServer> server(new TlsServer(std::move(config), std::move(texts)));
  auto wrong = server->credentials_->load(server->config_, server->texts_);
  if (!wrong.empty()) return unexpected(Errc::malformed, std::move(wrong));
  return server;
}

bool TlsServer::begin(gnutls_session_int* session) const {
  if (gnutls_priority_set(session, credentials_->priority) < 0 ||
      gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_->certificate) < 0)
    return false;
  const auto asked = [&] {
    switch (config_.client_auth) {
      case ClientAuth::none: return GNUTLS_CERT_IGNORE;
      case ClientAuth::request:
      case ClientAuth::verify_if_given: return GNUTLS_CERT_REQUEST;
      case ClientAuth::require_any:
      case ClientAuth::require_and_verify: break;
    }
    return GNUTLS_CERT_REQUIRE;
  };
  gnutls_certificate_server_set_request(session, asked());
  if (config_.client_auth == ClientAuth::none) return true;
  // The session's own pointer is MHD's. This one is for a store of sessions to be resumed, which there is
  // not.
  gnutls_db_set_ptr(session, const_cast<TlsServer*>(this));
  gnutls_session_set_verify_function(session, [](gnutls_session_t asking) {
    return static_cast<const TlsServer*>(gnutls_db_get_ptr(asking))->check_client(asking);
  });
  return true;
}

int TlsServer::check_client(gnutls_session_int* session) const {
  constexpr int kRefused = GNUTLS_E_CERTIFICATE_ERROR;
  const bool requires_one =
      config_.client_auth == ClientAuth::require_any || config_.client_auth == ClientAuth::require_and_verify;
  unsigned count = 0;
  const auto* chain = gnutls_certificate_get_peers(session, &count);
  if (chain == nullptr || count == 0) return requires_one ? kRefused : 0;
  const bool verifies = config_.client_auth == ClientAuth::verify_if_given ||
                        config_.client_auth == ClientAuth::require_and_verify;
  if (verifies && !is_verified(session)) return kRefused;
  if (config_.client_allowed_sans.empty()) return 0;
  const auto certificate = parse_certificate(chain[0], GNUTLS_X509_FMT_DER);
  if (!certificate) return kRefused;
  const auto names = names_of(certificate.get());
  const auto allowed = [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); };
  return std::ranges::any_of(config_.client_allowed_sans, allowed) ? 0 : kRefused;
}

}  // namespace tcpdiag
