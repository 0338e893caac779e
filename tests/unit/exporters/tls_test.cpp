// SPDX-License-Identifier: Apache-2.0
// Handshakes with GnuTLS's own client, over a pair of sockets.
#include "exporters/tls.h"

#include <gnutls/gnutls.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/catch.h"
#include "tests/certificates.h"

using namespace tcpdiag;

namespace {

/// The sockets, GnuTLS's session on one of them, and what its certificate is.
class Session {
 public:
  Session(unsigned kind, int fd) : fd_(fd) {
    gnutls_init(&session_, kind);
    gnutls_transport_set_int(session_, fd);
    gnutls_handshake_set_timeout(session_, 20'000);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    gnutls_deinit(session_);
    ::close(fd_);
  }
  [[nodiscard]] gnutls_session_t get() const { return session_; }
  [[nodiscard]] bool shake_hands() const {
    int result = 0;
    do result = gnutls_handshake(session_);
    while (result < 0 && gnutls_error_is_fatal(result) == 0);
    if (result < 0) ::shutdown(fd_, SHUT_RDWR);
    return result == GNUTLS_E_SUCCESS;
  }

 private:
  int fd_;
  gnutls_session_t session_ = nullptr;
};

struct TlsClient {
  const TestCertificate* certificate = nullptr;
  std::string priority = "NORMAL";
};

/// The version that server and client agree on; empty: the server refuses.
std::string agreed_version(const TlsServer& server, const TlsClient& client = {}) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Session server_end(GNUTLS_SERVER, ends[0]),
      client_end(GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT, ends[1]);
  REQUIRE(server.begin(server_end.get()));

  gnutls_certificate_credentials_t shown = nullptr;
  gnutls_certificate_allocate_credentials(&shown);
  if (client.certificate != nullptr) {
    const auto datum = [](const std::string& text) {
      return gnutls_datum_t{reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
                            static_cast<unsigned>(text.size())};
    };
    const auto certificate = datum(client.certificate->certificate), key = datum(client.certificate->key);
    gnutls_certificate_set_x509_key_mem(shown, &certificate, &key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_set_flags(shown, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
  }
  gnutls_priority_set_direct(client_end.get(), client.priority.c_str(), nullptr);
  gnutls_credentials_set(client_end.get(), GNUTLS_CRD_CERTIFICATE, shown);

  std::thread connecting([&] { (void)client_end.shake_hands(); });
  const bool agreed = server_end.shake_hands();
  connecting.join();
  const std::string version =
      agreed ? gnutls_protocol_get_name(gnutls_protocol_get_version(server_end.get())) : "";
  gnutls_certificate_free_credentials(shown);
  return version;
}

bool lets_in(const TlsServer& server, const TestCertificate* certificate = nullptr) {
  const auto tls13 = agreed_version(server, {.certificate = certificate});
  const auto tls12 = agreed_version(server, {certificate, "NORMAL:-VERS-ALL:+VERS-TLS1.2"});
  CHECK(tls13.empty() == tls12.empty());
  return !tls13.empty();
}

struct Certificates {
  TestCertificate authority = make_certificate({.name = "authority", .purpose = Purpose::authority});
  TestCertificate other_authority = make_certificate({.name = "another", .purpose = Purpose::authority});
  TestCertificate server = make_certificate({});
  TestCertificate client =
      make_certificate({.name = "prometheus",
                        .purpose = Purpose::client,
                        .issuer = &authority,
                        .names = {"DNS:prometheus.example", "IP:10.1.2.3", "IP:::ffff:10.9.9.9",
                                  "URI:spiffe://a/b", "email:ops@example.org"}});
  TestCertificate stranger = make_certificate({.name = "stranger",
                                               .purpose = Purpose::client,
                                               .issuer = &other_authority,
                                               .names = {"DNS:prometheus.example"}});
  TestCertificate expired = make_certificate(
      {.name = "expired", .purpose = Purpose::client, .issuer = &authority, .expired = true});
  TestCertificate of_a_server = make_certificate({.name = "server", .issuer = &authority});
};

const Certificates& certificates() {
  static const Certificates kMade;
  return kMade;
}

std::shared_ptr<const TlsServer> server_with(TlsConfig config) {
  config.cert.file = config.key.file = "given";
  const bool verifies = config.client_auth == ClientAuth::verify_if_given ||
                        config.client_auth == ClientAuth::require_and_verify;
  if (verifies) config.client_ca.file = "given";
  const auto& made = certificates();
  auto server = TlsServer::make(
      config, {made.server.certificate, made.server.key, verifies ? made.authority.certificate : ""});
  if (!server) FAIL(server.error().detail);
  return *server;
}

std::string complaint(const TlsConfig& config, const TlsTexts& texts) {
  const auto server = TlsServer::make(config, texts);
  REQUIRE_FALSE(server);
  return server.error().detail;
}

}  // namespace

TEST_CASE("TLS 1.2 and 1.3 are spoken, and nothing older", "[tls]") {
  const auto server = server_with({});
  CHECK(agreed_version(*server) == "TLS1.3");
  CHECK(agreed_version(*server, {.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2"}) == "TLS1.2");
  CHECK(agreed_version(*server, {.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT"}).empty());
  CHECK(agreed_version(*server_with({.max_version = TlsVersion::tls12})) == "TLS1.2");
  CHECK(agreed_version(*server_with({.min_version = TlsVersion::tls13}),
                       {.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2"})
            .empty());
}

TEST_CASE("only the named cipher suites and curves are spoken", "[tls]") {
  const auto server = server_with(
      {.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}, .curve_preferences = {"CurveP384"}});
  CHECK(agreed_version(*server) == "TLS1.3");
  CHECK(agreed_version(*server, {.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2"}) == "TLS1.2");
  CHECK(agreed_version(*server, {.priority = "NORMAL:-CIPHER-ALL:+AES-128-GCM"}).empty());
  CHECK(agreed_version(*server, {.priority = "NORMAL:-GROUP-ALL:+GROUP-X25519"}).empty());
}

TEST_CASE("without client authentication nobody is asked for a certificate", "[tls]") {
  const auto server = server_with({.client_auth = ClientAuth::none});
  CHECK(lets_in(*server));
  CHECK(lets_in(*server, &certificates().stranger));
}

TEST_CASE("with RequestClientCert a client may come with any certificate or none", "[tls]") {
  const auto server = server_with({.client_auth = ClientAuth::request});
  CHECK(lets_in(*server));
  CHECK(lets_in(*server, &certificates().client));
  CHECK(lets_in(*server, &certificates().stranger));
}

TEST_CASE("with RequireAnyClientCert a client must have a certificate, whoever signed it", "[tls]") {
  const auto server = server_with({.client_auth = ClientAuth::require_any});
  CHECK_FALSE(lets_in(*server));
  CHECK(lets_in(*server, &certificates().client));
  CHECK(lets_in(*server, &certificates().stranger));
}

TEST_CASE("with VerifyClientCertIfGiven a client may have none, but not a wrong one", "[tls]") {
  const auto server = server_with({.client_auth = ClientAuth::verify_if_given});
  CHECK(lets_in(*server));
  CHECK(lets_in(*server, &certificates().client));
  CHECK_FALSE(lets_in(*server, &certificates().stranger));
  CHECK_FALSE(lets_in(*server, &certificates().expired));
}

TEST_CASE("with RequireAndVerifyClientCert a client must have one that the client CA signed", "[tls]") {
  const auto server = server_with({.client_auth = ClientAuth::require_and_verify});
  CHECK_FALSE(lets_in(*server));
  CHECK(lets_in(*server, &certificates().client));
  CHECK_FALSE(lets_in(*server, &certificates().stranger));
  CHECK_FALSE(lets_in(*server, &certificates().expired));
  CHECK_FALSE(lets_in(*server, &certificates().of_a_server));
}

TEST_CASE("of allowed names the certificate must have one, exactly", "[tls]") {
  const auto lets_in_with = [](std::vector<std::string> names, const TestCertificate& certificate) {
    return lets_in(*server_with({.client_auth = ClientAuth::require_and_verify,
                                 .client_allowed_sans = std::move(names)}),
                   &certificate);
  };
  const auto& client = certificates().client;
  for (const auto* name : {"prometheus.example", "10.1.2.3", "10.9.9.9", "spiffe://a/b", "ops@example.org"})
    CHECK(lets_in_with({"another", name}, client));
  for (const auto* name : {"example", "Prometheus.example", "*.example", "prometheus", "10.1.2.4", ""})
    CHECK_FALSE(lets_in_with({name}, client));
  CHECK_FALSE(lets_in_with({"prometheus.example"}, certificates().stranger));
  CHECK_FALSE(lets_in_with({"server"}, certificates().expired));
  CHECK(lets_in(
      *server_with({.client_auth = ClientAuth::require_any, .client_allowed_sans = {"prometheus.example"}}),
      &certificates().stranger));
}

TEST_CASE("what is no certificate, or not its key, is an error that names the key of the file", "[tls]") {
  const auto& made = certificates();
  const TlsConfig config;
  const std::string no_certificate = "cert_file: not a PEM certificate with an RSA or elliptic curve key";
  CHECK(complaint(config, {"", made.server.key, ""}) == no_certificate);
  CHECK(complaint(config, {"garbage", made.server.key, ""}) == no_certificate);
  CHECK(complaint(config, {made.server.key, made.server.key, ""}) == no_certificate);
  CHECK(complaint(config, {made.server.certificate, made.client.key, ""}) ==
        "key_file: not the key of the certificate");
  CHECK(complaint(config, {made.server.certificate, "garbage", ""}).starts_with("cert_file and key_file: "));
  TlsConfig with_ca;
  with_ca.client_ca.file = "ca";
  CHECK(complaint(with_ca, {made.server.certificate, made.server.key, "garbage"}) ==
        "client_ca_file: not a PEM certificate");
  CHECK(complaint(with_ca, {made.server.certificate, made.server.key, ""}) ==
        "client_ca_file: not a PEM certificate");
  CHECK(complaint({.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
                  {made.server.certificate, made.server.key, ""})
            .starts_with("cipher_suites names none"));
}

TEST_CASE("a certificate that is cut off anywhere is an error or the whole of it", "[tls]") {
  const auto& made = certificates().server;
  for (std::size_t length = 0; length + 30 < made.certificate.size(); length += 7)
    CHECK_FALSE(TlsServer::make({}, {made.certificate.substr(0, length), made.key, ""}));
  for (std::size_t length = 0; length + 40 < made.key.size(); length += 7)
    CHECK_FALSE(TlsServer::make({}, {made.certificate, made.key.substr(0, length), ""}));
}

TEST_CASE(
    "the certificate that runs out first counts, and one that has run out or will within 14 days is told") {
  const auto lasting = make_certificate({.days = 300}), ending = make_certificate({.days = 30});
  const auto facts = certificate_facts(lasting.certificate + ending.certificate);
  CHECK(facts.weaknesses.empty());
  const auto expires = facts.expires;
  CHECK(expires == certificate_facts(ending.certificate).expires);
  CHECK(certificate_warnings(facts, expires - std::chrono::days(15)).empty());
  const auto soon = certificate_warnings(facts, expires - std::chrono::days(14));
  REQUIRE(soon.size() == 1);
  CHECK(soon[0].starts_with("cert_file: the certificate expires on 20"));
  const auto over = certificate_warnings(facts, expires);
  REQUIRE(over.size() == 1);
  CHECK(over[0].starts_with("cert_file: the certificate expired on 20"));
}

TEST_CASE("keys that are too short are told") {
  const auto weak = certificate_facts(make_certificate({.rsa = true, .bits = 1024, .days = 300}).certificate);
  CHECK(weak.weaknesses == std::vector<std::string>{"an RSA key of 1024 bits"});
  CHECK(
      certificate_warnings(weak, weak.expires - std::chrono::days(100)) ==
      std::vector<std::string>{"cert_file: the certificate has an RSA key of 1024 bits, which is too weak"});
  CHECK(certificate_facts(make_certificate({.rsa = true}).certificate).weaknesses.empty());
  CHECK(certificate_facts("no certificate").weaknesses.empty());
}
