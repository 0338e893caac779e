// SPDX-License-Identifier: Apache-2.0
#include "cli/http_failure.h"

#include <curl/curl.h>

#include <cerrno>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

const HttpUrl kPlain{false, "db1", 10180, "/"};
const HttpUrl kTls{true, "db1", 10180, "/"};
const HttpConfig kNone;

HttpConfig with_ca() {
  HttpConfig config{.name = "http.yml"};
  config.tls.ca.text = "PEM";
  return config;
}

HttpConfig with_cert() {
  auto config = with_ca();
  config.tls.cert.text = config.tls.key.text = "PEM";
  return config;
}

std::string said(const HttpFailure& failure, const HttpUrl& url = kTls, const HttpConfig& config = kNone) {
  const auto error = to_error(failure, url, config);
  REQUIRE(error.detail.starts_with("db1:10180: "));
  return error.detail.substr(11);
}

HttpFailure not_trusted(long why, const std::string& text = "SSL certificate problem: some reason") {
  return {.code = CURLE_PEER_FAILED_VERIFICATION, .verify_result = why, .said = text};
}

}  // namespace

TEST_CASE("a certificate that is not trusted is told with its reason and what to do") {
  CHECK(said(not_trusted(20)) ==
        "the server's certificate is not signed by a CA that this system trusts (some reason); name a file "
        "with --http.config.file that has tls_config.ca_file");
  CHECK(said(not_trusted(20), kTls, {.name = "http.yml"}) ==
        "the server's certificate is not signed by a CA that this system trusts (some reason); add "
        "tls_config.ca_file to http.yml");
  CHECK(said(not_trusted(20), kTls, with_ca()) ==
        "the server's certificate is not signed by the CA of http.yml (some reason)");
  CHECK(said(not_trusted(10)) == "the server's certificate has expired; it needs a new one");
  CHECK(said(not_trusted(9)) == "the server's certificate is not valid yet; are both clocks right?");
  const auto other =
      not_trusted(1, "SSL: no alternative certificate subject name matches target host name 'db1'");
  CHECK(said(other, kTls, with_ca()) ==
        "the server's certificate is not for the name db1; use a name that it has, or add "
        "tls_config.server_name to http.yml");
  auto named = with_ca();
  named.tls.server_name = "db2";
  CHECK_THAT(said(other, kTls, named), ContainsSubstring("not for the name db2"));
}

TEST_CASE("a handshake that fails is told with what is missing") {
  HttpFailure failure{.code = CURLE_SSL_CONNECT_ERROR, .said = "error:0A00010B:wrong version number"};
  CHECK(said(failure) == "it does not speak TLS; use http://");
  failure.said = "tlsv1 alert protocol version";
  CHECK_THAT(said(failure), ContainsSubstring("it speaks no TLS version that is allowed"));
  failure.said = "SSL_ERROR_SYSCALL ";
  CHECK(said(failure, kTls, with_ca()) ==
        "it ended the connection (SSL_ERROR_SYSCALL); use http:// if it does not speak TLS; if it wants a "
        "client certificate, add tls_config.cert_file and key_file to http.yml");
  CHECK(said(failure, kTls, with_cert()) ==
        "it ended the connection (SSL_ERROR_SYSCALL); it may not take the client certificate of http.yml");
  auto narrow = with_cert();
  narrow.tls.max_version = TlsVersion::tls12;
  CHECK_THAT(said(failure, kTls, narrow), ContainsSubstring("perhaps because of min_version or max_version"));
  failure = {.code = CURLE_GOT_NOTHING, .said = "Empty reply from server"};
  CHECK_THAT(said(failure), ContainsSubstring("it ended the connection; if it wants a client certificate"));
  CHECK(said(failure, kPlain) == "no answer; if it speaks TLS, use https://");
  CHECK_THAT(said({.code = CURLE_SSL_CERTPROBLEM}, kTls, with_cert()),
             ContainsSubstring("the client certificate and key of http.yml cannot be used"));
  CHECK(said({.code = CURLE_SSL_CACERT_BADFILE}, kTls, with_ca()) ==
        "ca or ca_file of http.yml holds no certificate");
  CHECK_THAT(said({.code = CURLE_SSL_CACERT_BADFILE}),
             ContainsSubstring("install ca-certificates, or name a file"));
}

TEST_CASE("a connection that does not come about is told with how far it came") {
  HttpFailure late{.code = CURLE_OPERATION_TIMEDOUT};
  CHECK(to_error(late, kTls, kNone).code == Errc::timed_out);
  CHECK(said(late) == "the name was not resolved in time");
  late.reached = Reached::address;
  CHECK(said(late) == "no connection in time; are its packets dropped on the way?");
  late.reached = Reached::host;
  CHECK(said(late) == "no TLS handshake in time");
  CHECK(said(late, kPlain) == "no answer in time");
  late.reached = Reached::server;
  CHECK(said(late) == "no answer in time");

  const HttpFailure refused{.code = CURLE_COULDNT_CONNECT, .system_error = ECONNREFUSED};
  CHECK(said(refused) == "Connection refused");
  HttpConfig proxy{.name = "http.yml", .proxy = {.url = "http://a:hunter2@proxy"}};
  CHECK(said(refused, kPlain, proxy) == "Connection refused, perhaps by the proxy that http.yml names");
  CHECK(said({.code = CURLE_RECV_ERROR, .system_error = ECONNRESET}, kPlain) == "Connection reset by peer");
  CHECK(said({.code = CURLE_COULDNT_RESOLVE_HOST}) == "no such host is known");
  CHECK(said({.code = CURLE_COULDNT_RESOLVE_PROXY}, kTls, proxy) ==
        "the host of the proxy that http.yml names is not known");
}

TEST_CASE("an answer that is none is told as one, with where a redirect led") {
  CHECK(said({.code = CURLE_UNSUPPORTED_PROTOCOL}) == "the answer is not HTTP");
  CHECK(said({.code = CURLE_UNSUPPORTED_PROTOCOL, .redirected_to = "file:///x"}) ==
        "redirects to file:///x: this is not followed");
  CHECK(said({.code = CURLE_PARTIAL_FILE}) == "the answer ends early");
  CHECK(said({.code = CURLE_WRITE_ERROR}) == "the answer is too large");
  CHECK(said({.code = CURLE_TOO_MANY_REDIRECTS, .redirected_to = "http://a/"}) ==
        "redirects to http://a/: it redirects again and again");
  CHECK(said({.code = CURLE_HTTP2, .said = "its own words"}) == "its own words");
  CHECK_FALSE(said({.code = CURLE_HTTP2}).empty());
}

TEST_CASE("every status that a daemon or what stands before it gives has its advice") {
  HttpConfig file{.name = "http.yml"};
  CHECK(advice_about(401, kNone) == "name a file with --http.config.file that has basic_auth");
  CHECK(advice_about(401, file) == "add basic_auth to http.yml");
  file.basic_auth = BasicAuth{};
  CHECK(advice_about(401, file) == "the username or the password of http.yml is wrong");
  CHECK(advice_about(401, {.name = "http.yml", .authorization = Authorization{}}) ==
        "it rejects the authorization of http.yml");
  for (const int status : {403, 404, 407, 429, 503}) CHECK_FALSE(advice_about(status, file).empty());
  CHECK(advice_about(302, {.name = "http.yml", .follow_redirects = false}) ==
        "follow_redirects is false in http.yml");
  for (const int status : {200, 302, 500}) CHECK(advice_about(status, file).empty());
}
