// SPDX-License-Identifier: Apache-2.0
// Who is let in by the server over loopback, and how.
#include <gnutls/gnutls.h>

#include <atomic>
#include <thread>

#include "exporters/http.h"
#include "tests/catch.h"
#include "tests/certificates.h"
#include "tests/http_server.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

// of the password "secret"; the second takes longer
const std::string kHash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
const std::string kSlowHash = "$2y$11$abcdefghijklmnopqrstuuViuGI07N4McP9Kl.tD6XMEzyuvcY8LG";
const std::string kAnna = "Authorization: Basic YW5uYTpzZWNyZXQ=\r\n";   // anna:secret
const std::string kWrong = "Authorization: Basic YW5uYTp3cm9uZw==\r\n";  // anna:wrong
const std::string kClose = "Connection: close\r\n";

std::shared_ptr<const WebSecurity> shared(WebSecurity security) {
  return std::make_shared<const WebSecurity>(std::move(security));
}

std::unique_ptr<HttpServer> start_with(const Published<Report>& reports, WebSecurity security,
                                       std::function<TimePoint()> clock = {}) {
  HttpOptions options;
  options.security = shared(std::move(security));
  options.clock = std::move(clock);
  return start(reports, options);
}

std::string healthy(const HttpServer& server, const std::string& headers = "") {
  return ask(server, request("GET /-/healthy", kClose + headers));
}

int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

std::shared_ptr<const TlsServer> tls_with(const TestCertificate& certificate) {
  TlsConfig config;
  config.cert.file = config.key.file = "given";
  auto tls = TlsServer::make(config, {certificate.certificate, certificate.key, ""});
  if (!tls) FAIL(tls.error().detail);
  return *tls;
}

/// A client of the server by TLS that trusts one certificate only.
class TlsClient {
 public:
  TlsClient(const HttpServer& server, const TestCertificate& trusted) : client_(server) {
    gnutls_certificate_allocate_credentials(&credentials_);
    const gnutls_datum_t text{reinterpret_cast<unsigned char*>(const_cast<char*>(trusted.certificate.data())),
                              static_cast<unsigned>(trusted.certificate.size())};
    gnutls_certificate_set_x509_trust_mem(credentials_, &text, GNUTLS_X509_FMT_PEM);
    gnutls_init(&session_, GNUTLS_CLIENT);
    gnutls_set_default_priority(session_);
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_);
    gnutls_session_set_verify_cert(session_, "localhost", 0);
    gnutls_transport_set_int(session_, client_.fd());
    int result = 0;
    do result = gnutls_handshake(session_);
    while (result < 0 && gnutls_error_is_fatal(result) == 0);
    trusts_ = result == GNUTLS_E_SUCCESS;
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() {
    gnutls_deinit(session_);
    gnutls_certificate_free_credentials(credentials_);
  }

  [[nodiscard]] int fd() const { return client_.fd(); }
  [[nodiscard]] bool trusts() const { return trusts_; }
  /// The status of one answer after the other, on this connection.
  [[nodiscard]] int ask_healthy() const {
    const auto text = request("GET /-/healthy", "");
    return trusts_ && gnutls_record_send(session_, text.data(), text.size()) > 0 ? status() : 0;
  }
  /// The same with a number of KeyUpdate messages in front of the request, all sent at once, as the last one.
  [[nodiscard]] int ask_after_key_updates(int updates) const {
    std::string sent;
    const auto collect = [](gnutls_transport_ptr_t all, const void* bytes, std::size_t length) {
      static_cast<std::string*>(all)->append(static_cast<const char*>(bytes), length);
      return static_cast<ssize_t>(length);
    };
    gnutls_transport_ptr_t from = nullptr, to = nullptr;
    gnutls_transport_get_ptr2(session_, &from, &to);
    gnutls_transport_set_ptr2(session_, from, &sent);
    gnutls_transport_set_push_function(session_, collect);
    for (int i = 0; i < updates; ++i) gnutls_session_key_update(session_, 0);
    const auto text = request("GET /-/healthy", "");
    gnutls_record_send(session_, text.data(), text.size());
    client_.send(sent);
    return status();
  }

 private:
  /// Of the next answer.
  [[nodiscard]] int status() const {
    std::string answer;
    while (!answer.ends_with("is healthy.\n")) {
      char buffer[4096];
      const auto count = gnutls_record_recv(session_, buffer, sizeof buffer);
      if (count == GNUTLS_E_AGAIN || count == GNUTLS_E_INTERRUPTED) continue;
      if (count <= 0) return 0;
      answer.append(buffer, static_cast<std::size_t>(count));
    }
    return status_of(answer);
  }

  Client client_;
  gnutls_certificate_credentials_t credentials_ = nullptr;
  gnutls_session_t session_ = nullptr;
  bool trusts_ = false;
};

/// With TLS, and so much patience that whoever is gone is so for another reason.
std::unique_ptr<HttpServer> start_patient(const Published<Report>& reports,
                                          const TestCertificate& certificate) {
  HttpOptions options;
  options.security = shared({.tls = tls_with(certificate)});
  options.idle_timeout = std::chrono::hours(1);
  return start(reports, options);
}

bool connections_fall_to(std::size_t number, const HttpServer& server) {
  const auto patience = std::chrono::steady_clock::now() + 20s;
  while (server.usage().connections > number && std::chrono::steady_clock::now() < patience)
    std::this_thread::yield();
  return server.usage().connections == number;
}

}  // namespace

TEST_CASE("with users a request needs a name and its password", "[http]") {
  Published<Report> reports;
  const auto server = start_with(reports, {.users = {{"anna", kHash}}});
  const auto refused = healthy(*server);
  CHECK(status_of(refused) == 401);
  CHECK_THAT(refused,
             ContainsSubstring("\r\nWWW-Authenticate: Basic realm=\"tcpdiagd\", charset=\"UTF-8\"\r\n"));
  CHECK_THAT(refused, ContainsSubstring("\r\nX-Content-Type-Options: nosniff\r\n"));
  CHECK(server->usage().unauthorized == 0);
  CHECK(status_of(healthy(*server, kAnna)) == 200);
  CHECK(status_of(healthy(*server, kAnna)) == 200);
  CHECK(status_of(healthy(*server, kWrong)) == 401);
  CHECK(status_of(healthy(*server, "Authorization: Bearer x\r\n")) == 401);
  CHECK(server->usage().unauthorized == 1);
  for (const auto* path : {"/", "/metrics", "/style.css", "/api/v1/findings", "/-/ready", "/nothing"})
    CHECK(status_of(ask(*server, request(std::string("GET ") + path))) == 401);
}

TEST_CASE("what would be refused in any case is refused before a password is asked for", "[http]") {
  Published<Report> reports;
  const auto server = start_with(reports, {.users = {{"anna", kHash}}});
  CHECK(status_of(ask(*server, request("GET /", "Content-Length: 1000000\r\n"))) == 413);
  CHECK(status_of(ask(*server, request("POST /", "Content-Length: 1000000\r\n"))) == 405);
}

TEST_CASE("a connection is kept while its password is checked, and serves on", "[http]") {
  Published<Report> reports;
  const auto server = start_with(reports, {.users = {{"anna", kSlowHash}}});
  const Client client(*server);
  for (int i = 0; i < 3; ++i) {
    client.send(request("GET /-/healthy", kAnna));
    CHECK(status_of(client.read_until("is healthy.\n")) == 200);
  }
}

TEST_CASE("who was let in does not wait for those who guess passwords", "[http]") {
  Published<Report> reports;
  const auto server = start_with(reports, {.users = {{"anna", kSlowHash}}});
  REQUIRE(status_of(healthy(*server, kAnna)) == 200);
  std::vector<std::unique_ptr<Client>> guessing;
  for (int i = 0; i < 40; ++i) {
    guessing.push_back(std::make_unique<Client>(*server, "127.0.0.2"));
    guessing.back()->send(
        request("GET /-/healthy",
                "Authorization: Basic YW5uYTp" + std::string(1, static_cast<char>('A' + i % 26)) + "\r\n"));
  }
  for (int i = 0; i < 5; ++i) CHECK(status_of(healthy(*server, kAnna)) == 200);
  int refused = 0;
  for (const auto& client : guessing) {
    const auto status = status_of(client->read_until(".\n"));
    CHECK((status == 401 || status == 503));
    refused += status == 503 ? 1 : 0;
  }
  CHECK(refused == static_cast<int>(server->usage().limited));
}

TEST_CASE("who waits for a password to be checked is not a client that is too slow", "[http]") {
  Published<Report> reports;
  std::atomic<HttpServer*> serving = nullptr;
  const auto minutes_pass = [&] {  // it is asked when a check begins, and when it ends
    auto* server = serving.load();
    for (TimePoint now; server != nullptr && now <= TimePoint(2min); now += 1min) server->drop_slow(now);
    return TimePoint{};
  };
  const auto server = start_with(reports, {.users = {{"anna", kHash}}}, minutes_pass);
  serving = server.get();
  CHECK(status_of(healthy(*server, kWrong)) == 401);
  CHECK(server->usage().dropped == 0);
}

TEST_CASE("the server stops while connections wait for their password", "[http]") {
  Published<Report> reports;
  auto server = start_with(reports, {.users = {{"anna", kSlowHash}}});
  std::vector<std::unique_ptr<Client>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(std::make_unique<Client>(*server, i % 2 == 0 ? "127.0.0.1" : "127.0.0.2"));
    waiting.back()->send(request("GET /-/healthy", i % 3 == 0 ? kAnna : kWrong));
  }
  while (server->usage().connections < 8) std::this_thread::yield();
  server.reset();
  for (const auto& client : waiting) {
    const auto answer = client->read_to_end();
    CHECK((answer.empty() || status_of(answer) != 0));
  }
}

TEST_CASE("a rate limit refuses what comes too fast", "[http]") {
  Published<Report> reports;
  std::atomic<TimePoint::rep> now = 0;
  const auto clock = [&] { return TimePoint{TimePoint::duration(now.load())}; };
  const auto server = start_with(reports, {.rate_limit = RateLimit{10s, 2}}, clock);
  CHECK(status_of(healthy(*server)) == 200);
  CHECK(status_of(healthy(*server)) == 200);
  const auto refused = healthy(*server);
  CHECK(status_of(refused) == 429);
  CHECK_THAT(refused, ContainsSubstring("\r\nRetry-After: 1\r\n"));
  CHECK(server->usage().limited == 1);
  now = TimePoint::duration(11s).count();
  CHECK(status_of(healthy(*server)) == 200);
  CHECK(status_of(healthy(*server)) == 429);
}

TEST_CASE("headers are set on every answer, instead of those it would have", "[http]") {
  Published<Report> reports;
  const auto server = start_with(reports, {.users = {{"anna", kHash}},
                                           .headers = {{"Strict-Transport-Security", "max-age=60"},
                                                       {"X-Frame-Options", "sameorigin"},
                                                       {"Content-Security-Policy", ""}}});
  for (const auto& answer : {healthy(*server, kAnna), healthy(*server), ask(*server, request("DELETE /")),
                             ask(*server, request("GET /no", kClose + kAnna))}) {
    CHECK_THAT(answer, ContainsSubstring("\r\nStrict-Transport-Security: max-age=60\r\n"));
    CHECK_THAT(answer, ContainsSubstring("\r\nX-Frame-Options: sameorigin\r\n"));
    CHECK_THAT(answer, !ContainsSubstring("deny") && !ContainsSubstring("Content-Security-Policy"));
    CHECK_THAT(answer, ContainsSubstring("\r\nReferrer-Policy: no-referrer\r\n"));
  }
}

TEST_CASE("without a web configuration file every answer has the headers that fit", "[http]") {
  Published<Report> reports;
  const auto server = start(reports);
  for (const auto* line : {"GET /", "GET /metrics", "GET /nothing", "PUT /", "GET /-/healthy"}) {
    const auto answer = ask(*server, request(line));
    for (const auto* header : {"X-Content-Type-Options: nosniff", "X-Frame-Options: deny",
                               "Referrer-Policy: ", "Content-Security-Policy: default-src 'none';",
                               "Cache-Control: no-cache", "Cross-Origin-Resource-Policy: same-origin"})
      CHECK_THAT(answer, ContainsSubstring(std::string("\r\n") + header));
  }
}

TEST_CASE("what cannot be read as a request ends the connection, and nothing of it is said again", "[http]") {
  Published<Report> reports;
  const auto server = start_with(reports, {.users = {{"anna", kHash}}});
  const std::string mark = "0123456789", many(40'000, 'x');
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += mark + ": x\r\n";
  for (const auto& [text, status] :
       {std::pair(mark + " " + mark + " " + mark + "\r\n\r\n", 400),
        std::pair(request("GET /" + mark, "Content-Length: " + mark + "x\r\n"), 400),
        std::pair("GET /" + mark + " HTTP/2.0\r\n\r\n", 505), std::pair(request("GET /" + mark + many), 414),
        std::pair(request("GET /" + mark, mark + ": " + many + "\r\n"), 431),
        std::pair(request("GET /" + mark, lines), 431)}) {
    INFO(text.substr(0, 100));
    const auto answer = ask(*server, text);
    if (answer.empty()) continue;  // reset while it was being sent
    CHECK(status_of(answer) == status);
    CHECK_THAT(answer, !ContainsSubstring(mark));
  }
}

TEST_CASE("new users and limits take effect with the next request, on open connections too", "[http]") {
  Published<Report> reports;
  const auto server = start_with(reports, {});
  const Client client(*server);
  client.send(request("GET /-/healthy", ""));
  REQUIRE(status_of(client.read_until("is healthy.\n")) == 200);
  REQUIRE(server->set_security(shared({.users = {{"anna", kHash}}})));
  client.send(request("GET /-/healthy", ""));
  CHECK(status_of(client.read_until("needed.\n")) == 401);
  CHECK(status_of(healthy(*server, kAnna)) == 200);
  REQUIRE(server->set_security(shared({.users = {{"bert", kHash}}})));
  CHECK(status_of(healthy(*server, kAnna)) == 401);
}

TEST_CASE("TLS is served, and plain HTTP is not beside it", "[http][tls]") {
  Published<Report> reports;
  const auto certificate = make_certificate({.names = {"DNS:localhost"}, .rsa = true});
  const auto server = start_with(reports, {.tls = tls_with(certificate)});
  const TlsClient client(*server, certificate);
  CHECK(client.trusts());
  for (int i = 0; i < 3; ++i) CHECK(client.ask_healthy() == 200);
  CHECK(status_of(healthy(*server)) == 0);
}

TEST_CASE("who breaks off or is reset in a TLS handshake is gone at once", "[http][tls]") {
  Published<Report> reports;
  const auto certificate = make_certificate({.names = {"DNS:localhost"}});
  const auto server = start_patient(reports, certificate);
  const std::string too_long("\x16\x03\x01\x00\x05hello", 10), begun("\x16\x03\x01\x02", 4);
  for (const auto& text : {too_long, begun, std::string("GET / HTTP/1.1\r\n"), std::string()})
    for (const bool reset : {true, false}) {
      const Client client(*server);
      client.send(text);
      const linger at_once{.l_onoff = reset ? 1 : 0, .l_linger = 0};
      setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
  const TlsClient last(*server, certificate);  // behind all of them in the queue
  CHECK(last.ask_healthy() == 200);
  CHECK(connections_fall_to(1, *server));
}

TEST_CASE("an end that comes together with a part of a TLS record is seen", "[http][tls]") {
  Published<Report> reports;
  const auto certificate = make_certificate({.names = {"DNS:localhost"}});
  const auto server = start_patient(reports, certificate);
  const auto end_within_a_record = [](int fd) {
    ::send(fd, "\x17\x03\x03", 3, MSG_MORE);  // so that it leaves with the FIN
    shutdown(fd, SHUT_WR);
  };
  const Client in_handshake(*server);
  TlsClient(*server, certificate);  // behind it in the queue: when this one has had its turn, that has, too
  end_within_a_record(in_handshake.fd());
  const TlsClient later(*server, certificate);
  CHECK(later.ask_healthy() == 200);
  end_within_a_record(later.fd());
  CHECK(in_handshake.read_to_end().empty());
  CHECK(connections_fall_to(0, *server));
}

TEST_CASE("a request that comes together with changes of its keys is answered", "[http][tls]") {
  Published<Report> reports;
  const auto certificate = make_certificate({.names = {"DNS:localhost"}});
  const auto server = start_with(reports, {.tls = tls_with(certificate)});
  for (const int updates : {1, 2, 5}) {
    const TlsClient client(*server, certificate);
    CHECK(client.ask_healthy() == 200);
    CHECK(client.ask_after_key_updates(updates) == 200);
  }
}

TEST_CASE("a new certificate is shown to new connections, and open ones go on", "[http][tls]") {
  Published<Report> reports;
  const auto before = make_certificate({.names = {"DNS:localhost"}, .rsa = true});
  const auto after = make_certificate({.names = {"DNS:localhost"}});
  const auto server = start_with(reports, {.tls = tls_with(before)});
  const TlsClient open(*server, before);
  CHECK(open.ask_healthy() == 200);
  REQUIRE(server->set_security(shared({.tls = tls_with(after)})));
  const TlsClient next(*server, after);
  CHECK(next.ask_healthy() == 200);
  CHECK(open.ask_healthy() == 200);
  CHECK_FALSE(TlsClient(*server, before).trusts());
}

TEST_CASE("certificates are replaced under load without a failed request", "[http][tls]") {
  Published<Report> reports;
  const auto authority = make_certificate({.name = "authority", .purpose = Purpose::authority});
  const auto signed_one = [&] {
    return make_certificate({.issuer = &authority, .names = {"DNS:localhost"}});
  };
  const auto server = start_with(reports, {.tls = tls_with(signed_one())});
  std::atomic<bool> done = false;
  std::atomic<int> served = 0, failed = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i)
    clients.emplace_back([&] {
      while (!done) ++(TlsClient(*server, authority).ask_healthy() == 200 ? served : failed);
    });
  for (int i = 0; i < 20; ++i) {
    CHECK(server->set_security(shared({.tls = tls_with(signed_one())})));
    const int enough = served + 3;
    while (served < enough && failed == 0) std::this_thread::yield();
  }
  done = true;
  for (auto& client : clients) client.join();
  CHECK(failed == 0);
}

TEST_CASE("TLS cannot be switched on or off while the server runs", "[http][tls]") {
  Published<Report> reports;
  const auto certificate = make_certificate({});
  const auto plain = start_with(reports, {});
  const auto on = plain->set_security(shared({.tls = tls_with(certificate)}));
  REQUIRE_FALSE(on);
  CHECK(on.error().detail == "TLS is switched on, which takes effect only after a restart");
  CHECK(status_of(healthy(*plain)) == 200);
  const auto secure = start_with(reports, {.tls = tls_with(certificate)});
  const auto off = secure->set_security(shared({}));
  REQUIRE_FALSE(off);
  CHECK(off.error().detail == "it no longer has TLS (tls_server_config), which only a restart can take away");
  CHECK(TlsClient(*secure, certificate).ask_healthy() == 200);
}

TEST_CASE("passwords are not taken away while the server runs", "[http]") {
  Published<Report> reports;
  const auto server = start_with(reports, {.users = {{"anna", kHash}}});
  const auto emptied = server->set_security(shared({}));
  REQUIRE_FALSE(emptied);
  CHECK(emptied.error().detail ==
        "it no longer has the passwords (basic_auth_users), which only a restart can take away");
  CHECK(status_of(healthy(*server)) == 401);
  CHECK(status_of(healthy(*server, kAnna)) == 200);
}
