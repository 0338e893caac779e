// SPDX-License-Identifier: Apache-2.0
#include "cli/http_config.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

const std::string kEverything = R"(# a comment
basic_auth:
  username: prometheus
  password_file: secrets/password
tls_config:
  ca: |
    -----BEGIN CERTIFICATE-----
    inline
    -----END CERTIFICATE-----
  cert_file: client.crt
  key_file: /etc/client.key
  server_name: db1.example
  insecure_skip_verify: true
  min_version: TLS12
  max_version: TLS13
follow_redirects: false
enable_http2: false
proxy_url: http://anna:secret@proxy:3128
no_proxy: localhost, 10.0.0.0/8, ::1, .example
)";

HttpConfig parsed(std::string_view text) {
  auto config = parse_http_config("http.yml", text);
  if (!config) FAIL(config.error().detail);
  return std::move(*config);
}

/// What is said about a file, without the file's name.
std::string complaint(std::string_view text) {
  const auto config = parse_http_config("http.yml", text);
  INFO(text);
  REQUIRE_FALSE(config);
  const auto& detail = config.error().detail;
  REQUIRE(detail.starts_with("http.yml:"));
  CHECK(detail.find('\n') == std::string::npos);
  return detail.substr(9);
}

std::string tls(const std::string& keys) { return complaint("tls_config: {" + keys + "}"); }
std::string basic(const std::string& keys) { return complaint("basic_auth: {" + keys + "}"); }

}  // namespace

TEST_CASE("an HTTP configuration file may say what promtool's can", "[http_config]") {
  const auto config = parsed(kEverything);
  CHECK(config.name == "http.yml");
  REQUIRE(config.basic_auth);
  CHECK(config.basic_auth->username == TextSource{"prometheus", ""});
  CHECK(config.basic_auth->password == TextSource{"", "secrets/password"});
  CHECK_FALSE(config.authorization);
  CHECK(config.tls.ca.text == "-----BEGIN CERTIFICATE-----\ninline\n-----END CERTIFICATE-----\n");
  CHECK(config.tls.cert == TextSource{"", "client.crt"});
  CHECK(config.tls.key == TextSource{"", "/etc/client.key"});
  CHECK(config.tls.server_name == "db1.example");
  CHECK(config.tls.insecure_skip_verify);
  CHECK(config.tls.min_version == TlsVersion::tls12);
  CHECK(config.tls.max_version == TlsVersion::tls13);
  CHECK_FALSE(config.follow_redirects);
  CHECK_FALSE(config.enable_http2);
  CHECK(config.proxy.url == "http://anna:secret@proxy:3128");
  CHECK(config.proxy.no_proxy == "localhost, 10.0.0.0/8, ::1, .example");
}

TEST_CASE("an HTTP configuration file that says nothing changes nothing", "[http_config]") {
  for (const auto* text :
       {"", "# nothing\n", "---\n", "{}", "tls_config:\n", "tls_config: {}\n", "proxy_url:\n"}) {
    INFO(text);
    const auto config = parsed(text);
    CHECK_FALSE(config.basic_auth);
    CHECK_FALSE(config.authorization);
    CHECK_FALSE(config.tls.ca.given());
    CHECK_FALSE(config.tls.insecure_skip_verify);
    CHECK_FALSE(config.tls.min_version);
    CHECK(config.proxy.url.empty());
    CHECK_FALSE(config.proxy.from_environment);
    CHECK(config.follow_redirects);
    CHECK(config.enable_http2);
  }
}

TEST_CASE("the other ways to say who asks", "[http_config]") {
  const auto files = parsed("basic_auth: {username_file: u, password: p}");
  CHECK(files.basic_auth->username == TextSource{"", "u"});
  CHECK(files.basic_auth->password == TextSource{"p", ""});
  const auto bearer = parsed("authorization: {credentials: abc}").authorization;
  REQUIRE(bearer);
  CHECK(bearer->type == "Bearer");
  CHECK(bearer->credentials == TextSource{"abc", ""});
  const auto other = parsed("authorization: {type: ' Token ', credentials_file: f}").authorization;
  REQUIRE(other);
  CHECK(other->type == "Token");
  CHECK(other->credentials == TextSource{"", "f"});
  CHECK(parsed("bearer_token: abc").authorization->credentials.text == "abc");
  CHECK(parsed("bearer_token_file: f").authorization->credentials.file == "f");
  CHECK(parsed("proxy_from_environment: true").proxy.from_environment);
  CHECK(parsed("tls_config: {ca_file: c, cert: x, key: y}").tls.ca.file == "c");
}

TEST_CASE("a key of an HTTP configuration file that is not known names the nearest one", "[http_config]") {
  CHECK(complaint("basic_aut: {}") == "1: unknown key \"basic_aut\"; did you mean \"basic_auth\"?");
  CHECK(complaint("\ntls_config:\n  cafile: x") == "3: unknown key \"cafile\"; did you mean \"ca_file\"?");
  CHECK(basic("user: x") == "1: unknown key \"user\"");
  CHECK(complaint("tls_server_config: {}") == "1: unknown key \"tls_server_config\"");
  CHECK(tls("ca_file: a, ca_file: b") == "1: the key \"ca_file\" is there twice");
}

TEST_CASE("a key of an HTTP configuration file that cannot be honoured is refused by name", "[http_config]") {
  for (const std::string key : {"oauth2", "proxy_connect_header", "http_headers"})
    CHECK(complaint(key + ": {}") == "1: " + key + " is not supported");
  CHECK(tls("next_protos: [h2]") == "1: next_protos is not supported");
  const std::string none = " is not supported: there is no secret manager";
  for (const std::string key : {"ca_ref", "cert_ref", "key_ref"})
    CHECK(tls(key + ": x") == "1: " + key + none);
  for (const std::string key : {"username_ref", "password_ref"})
    CHECK(basic(key + ": x") == "1: " + key + none);
  CHECK(complaint("authorization: {credentials_ref: x}") == "1: credentials_ref" + none);
}

TEST_CASE("keys of an HTTP configuration file that contradict each other are errors", "[http_config]") {
  CHECK(basic("username: a, username_file: b") == "1: basic_auth has both username and username_file");
  CHECK(basic("username: a, password: b, password_file: c") ==
        "1: basic_auth has both password and password_file");
  CHECK(basic("password: b") == "1: basic_auth has no username and no username_file");
  CHECK(complaint("authorization: {credentials: a, credentials_file: b}") ==
        "1: authorization has both credentials and credentials_file");
  CHECK(complaint("authorization: {type: Token}") ==
        "1: authorization has no credentials and no credentials_file");
  CHECK(complaint("authorization: {type: Basic, credentials: x}") ==
        "1: type is basic; use basic_auth instead");
  CHECK(complaint("basic_auth: {username: a}\nauthorization: {credentials: b}") ==
        " the file has both basic_auth and authorization");
  CHECK(complaint("basic_auth: {username: a}\nbearer_token: b") ==
        " the file has a bearer_token as well as basic_auth or authorization");
  CHECK(complaint("bearer_token: a\nbearer_token_file: b") ==
        " the file has both bearer_token and bearer_token_file");
  CHECK(tls("ca: a, ca_file: b") == "1: tls_config has both ca and ca_file");
  CHECK(tls("cert: a, cert_file: b") == "1: tls_config has both cert and cert_file");
  CHECK(tls("key: a, key_file: b") == "1: tls_config has both key and key_file");
  CHECK(tls("cert_file: a") == "1: tls_config has a cert or cert_file, but no key_file and no key");
  CHECK(tls("key: a") == "1: tls_config has a key or key_file, but no cert_file and no cert");
  CHECK(tls("min_version: TLS13, max_version: TLS12") ==
        "1: tls_config has a max_version below its min_version");
  CHECK(complaint("no_proxy: a") == " the file has no_proxy without proxy_url");
  CHECK(complaint("proxy_from_environment: true\nproxy_url: http://a") ==
        " the file has proxy_from_environment as well as proxy_url or no_proxy");
}

TEST_CASE("a value of an HTTP configuration file that is none is named", "[http_config]") {
  CHECK(complaint("[]") == "1: the file is not a mapping of keys to values");
  CHECK(complaint("basic_auth: anna") == "1: basic_auth is not a mapping of keys to values");
  CHECK(basic("username: [a]") == "1: username is not a text");
  CHECK(basic("password: {a: b}") == "1: password is not a text");
  CHECK(tls("insecure_skip_verify: maybe") == "1: insecure_skip_verify is neither true nor false");
  CHECK(tls("min_version: TLS11") ==
        "1: min_version is \"TLS11\"; allowed: TLS12 or TLS13, older versions are not supported");
  CHECK(tls("server_name: 'a b'") == "1: server_name is not the name or address of a host");
  CHECK(complaint("authorization: {type: a b}") == "1: type is not one word");
  CHECK(complaint("follow_redirects: 'true'") == "1: follow_redirects is neither true nor false");
  CHECK(complaint("proxy_url: proxy:3128") ==
        "1: proxy_url is not the URL of a proxy; allowed: http://HOST:PORT or socks5://HOST:PORT");
  CHECK(complaint("proxy_url: http://a\nno_proxy: 'b, c:80'") ==
        "2: no_proxy has \" c:80\"; allowed: names, addresses and networks without a port");
  CHECK(complaint("proxy_url: http://a\nno_proxy: '[::1]:80'") ==
        "2: no_proxy has \"[::1]:80\"; allowed: names, addresses and networks without a port");
}

TEST_CASE("no secret is in what is said about an HTTP configuration file", "[http_config]") {
  for (const std::string text : {"basic_auth:\n  username: a\n  password:hunter2\n",
                                 "basic_auth:\n  username: a\n  password hunter2\n",
                                 "basic_auth: {password:hunter2}",
                                 "password:hunter2: x",
                                 "password: hunter2",
                                 "basic_auth: {password: !hunter2 x}",
                                 "basic_auth: {password: *hunter2}",
                                 "basic_auth: {password: [hunter2]}",
                                 "basic_auth: {password: 'hunter2}",
                                 "basic_auth: {password: hunter2, password_file: x, username: y}",
                                 "basic_auth: {password: @hunter2}",
                                 "basic_auth: {password: `hunter2}",
                                 "basic_auth: {password: %hunter2}",
                                 "basic_auth:\n  password: |hunter2\n",
                                 "proxy_url: http://a:hunter2@",
                                 "proxy_url: ftp://a:hunter2@b",
                                 "bearer_token: {hunter2: x}",
                                 "authorization: {type: basic, credentials: hunter2}",
                                 "tls_config: {key: hunter2}",
                                 "%hunter2\n",
                                 "basic_auth:\n  password: \"\\hunter2\"\n",
                                 "basic_auth:\n  password: &a &hunter2 x\n"}) {
    INFO(text);
    const auto config = parse_http_config("http.yml", text);
    if (!config) CHECK(config.error().detail.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("an HTTP configuration file that is cut off or garbled never crashes, and is never too large",
          "[http_config]") {
  for (std::size_t length = 0; length <= kEverything.size(); ++length)
    (void)parse_http_config("http.yml", std::string_view(kEverything).substr(0, length));
  for (std::size_t at = 0; at < kEverything.size(); ++at) {
    auto garbled = kEverything;
    garbled[at] = '\xff';
    CHECK_FALSE(parse_http_config("http.yml", garbled));
  }
  const std::string large(kMaxHttpConfigBytes + 1, '#');
  const auto config = parse_http_config("http.yml", large);
  REQUIRE_FALSE(config);
  CHECK(config.error().code == Errc::too_large);
}
