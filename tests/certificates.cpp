// SPDX-License-Identifier: Apache-2.0
#include "tests/certificates.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <array>
#include <ctime>
#include <memory>
#include <stdexcept>

namespace tcpdiag {
namespace {

void must(int result) {
  if (result < 0) throw std::runtime_error(gnutls_strerror(result));
}

struct FreeCertificate {
  void operator()(gnutls_x509_crt_t certificate) const { gnutls_x509_crt_deinit(certificate); }
};
struct FreeKey {
  void operator()(gnutls_x509_privkey_t key) const { gnutls_x509_privkey_deinit(key); }
};
using Certificate = std::unique_ptr<gnutls_x509_crt_int, FreeCertificate>;
using Key = std::unique_ptr<gnutls_x509_privkey_int, FreeKey>;

Certificate new_certificate() {
  gnutls_x509_crt_t made = nullptr;
  must(gnutls_x509_crt_init(&made));
  return Certificate(made);
}

Key new_key() {
  gnutls_x509_privkey_t made = nullptr;
  must(gnutls_x509_privkey_init(&made));
  return Key(made);
}

gnutls_datum_t datum(const std::string& text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned>(text.size())};
}

std::string taken(gnutls_datum_t datum) {
  std::string text(reinterpret_cast<const char*>(datum.data), datum.size);
  gnutls_free(datum.data);
  return text;
}

void add_name(gnutls_x509_crt_t certificate, const std::string& name) {
  const auto kind = name.substr(0, name.find(':'));
  auto value = name.substr(kind.size() + 1);
  auto type = GNUTLS_SAN_DNSNAME;
  if (kind == "URI") type = GNUTLS_SAN_URI;
  if (kind == "email") type = GNUTLS_SAN_RFC822NAME;
  if (kind == "IP") {
    type = GNUTLS_SAN_IPADDRESS;
    std::array<char, 16> bytes{};
    const bool v6 = value.find(':') != std::string::npos;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, value.c_str(), bytes.data()) != 1) throw std::runtime_error(value);
    value.assign(bytes.data(), v6 ? 16 : 4);
  }
  must(gnutls_x509_crt_set_subject_alt_name(certificate, type, value.data(),
                                            static_cast<unsigned>(value.size()), GNUTLS_FSAN_APPEND));
}

void set_purpose(gnutls_x509_crt_t certificate, Purpose purpose) {
  const bool authority = purpose == Purpose::authority;
  must(gnutls_x509_crt_set_basic_constraints(certificate, authority ? 1 : 0, -1));
  must(gnutls_x509_crt_set_key_usage(certificate,
                                     authority ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE));
  if (authority) return;
  must(gnutls_x509_crt_set_key_purpose_oid(
      certificate, purpose == Purpose::server ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT, 0));
}

}  // namespace

TestCertificate make_certificate(const CertificateWish& wish) {
  constexpr std::time_t kDay = 24 * 3600;
  const auto now = std::time(nullptr);
  const auto key = new_key();
  const auto certificate = new_certificate();
  must(wish.rsa ? gnutls_x509_privkey_generate(key.get(), GNUTLS_PK_RSA, wish.bits, 0)
                : gnutls_x509_privkey_generate(key.get(), GNUTLS_PK_ECDSA,
                                               GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
  must(gnutls_x509_crt_set_version(certificate.get(), 3));
  must(gnutls_x509_crt_set_serial(certificate.get(), wish.name.data(),
                                  std::min<std::size_t>(wish.name.size(), 8)));
  must(gnutls_x509_crt_set_activation_time(certificate.get(), now - 3 * kDay));
  must(gnutls_x509_crt_set_expiration_time(certificate.get(),
                                           wish.expired ? now - kDay : now + wish.days * kDay));
  must(gnutls_x509_crt_set_dn_by_oid(certificate.get(), GNUTLS_OID_X520_COMMON_NAME, 0, wish.name.data(),
                                     static_cast<unsigned>(wish.name.size())));
  must(gnutls_x509_crt_set_key(certificate.get(), key.get()));
  for (const auto& name : wish.names) add_name(certificate.get(), name);
  set_purpose(certificate.get(), wish.purpose);

  const auto issuer_key = new_key();
  const auto issuer = new_certificate();
  if (wish.issuer != nullptr) {
    const auto certificate_text = datum(wish.issuer->certificate), key_text = datum(wish.issuer->key);
    must(gnutls_x509_crt_import(issuer.get(), &certificate_text, GNUTLS_X509_FMT_PEM));
    must(gnutls_x509_privkey_import(issuer_key.get(), &key_text, GNUTLS_X509_FMT_PEM));
  }
  must(gnutls_x509_crt_sign2(certificate.get(), wish.issuer == nullptr ? certificate.get() : issuer.get(),
                             wish.issuer == nullptr ? key.get() : issuer_key.get(), GNUTLS_DIG_SHA256, 0));

  gnutls_datum_t certificate_pem{}, key_pem{};
  must(gnutls_x509_crt_export2(certificate.get(), GNUTLS_X509_FMT_PEM, &certificate_pem));
  must(gnutls_x509_privkey_export2(key.get(), GNUTLS_X509_FMT_PEM, &key_pem));
  return {taken(certificate_pem), taken(key_pem)};
}

}  // namespace tcpdiag
