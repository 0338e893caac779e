// SPDX-License-Identifier: Apache-2.0
#include "exporters/web_config.h"

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

// of the password "secret"
constexpr std::string_view kHash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

const std::string kEverything = R"(# a comment
tls_server_config:
  cert_file: server.crt
  key: |
    -----BEGIN PRIVATE KEY-----
    inline
    -----END PRIVATE KEY-----
  client_ca_file: "/etc/ca.crt"
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus.example, 10.0.0.1]
  min_version: TLS13
  max_version: TLS13
  cipher_suites:
    - TLS_AES_256_GCM_SHA384
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  curve_preferences: [X25519, CurveP256]
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers:
    X-Frame-Options: sameorigin
    X-Content-Type-Options: nosniff
    X-XSS-Protection: "1"
    Strict-Transport-Security: max-age=31536000; includeSubDomains
    Content-Security-Policy:
basic_auth_users:
  prometheus: )" + std::string(kHash) +
                                R"(
  "anna b": ")" + std::string(kHash) +
                                R"("
rate_limit:
  interval: 1m0.5s
  burst: 20
)";

WebConfig parsed(std::string_view text) {
  auto config = parse_web_config("web.yml", text);
  if (!config) FAIL(config.error().detail);
  return std::move(*config);
}

/// What is said about a file, without the file's name.
std::string complaint(std::string_view text) {
  const auto config = parse_web_config("web.yml", text);
  REQUIRE_FALSE(config);
  REQUIRE(config.error().detail.starts_with("web.yml:"));
  return config.error().detail.substr(8);
}

std::string tls(const std::string& lines) {
  return "tls_server_config:\n  cert_file: c\n  key_file: k\n" + lines;
}

}  // namespace

TEST_CASE("a web configuration file may say everything the exporters' format has", "[web]") {
  const auto config = parsed(kEverything);
  REQUIRE(config.tls);
  CHECK(config.tls->cert == TextSource{"", "server.crt"});
  CHECK(config.tls->key ==
        TextSource{"-----BEGIN PRIVATE KEY-----\ninline\n-----END PRIVATE KEY-----\n", ""});
  CHECK(config.tls->client_ca.file == "/etc/ca.crt");
  CHECK(config.tls->client_auth == ClientAuth::require_and_verify);
  CHECK(config.tls->client_allowed_sans == std::vector<std::string>{"prometheus.example", "10.0.0.1"});
  CHECK(config.tls->min_version == TlsVersion::tls13);
  CHECK(config.tls->max_version == TlsVersion::tls13);
  CHECK(config.tls->cipher_suites.size() == 2);
  CHECK(config.tls->curve_preferences == std::vector<std::string>{"X25519", "CurveP256"});
  CHECK_FALSE(config.tls->prefer_server_cipher_suites);
  CHECK(config.users.size() == 2);
  CHECK(config.users.at("anna b") == kHash);
  REQUIRE(config.headers.size() == 5);
  CHECK(config.headers[4] == std::pair<std::string, std::string>("Content-Security-Policy", ""));
  CHECK(config.rate_limit == RateLimit{60500ms, 20});
  CHECK(config.warnings.empty());
}

TEST_CASE("a web configuration file that says nothing asks for nothing", "[web]") {
  for (const auto* text : {"", "# nothing\n", "---\n", "{}", "tls_server_config:\nbasic_auth_users:\n",
                           "tls_server_config: {}\nhttp_server_config: {}\nrate_limit: {}\n",
                           "rate_limit: {interval: 0, burst: 0}\n", "rate_limit: {burst: 5}\n"}) {
    INFO(text);
    const auto config = parsed(text);
    CHECK_FALSE(config.tls);
    CHECK(config.users.empty());
    CHECK(config.headers.empty());
    CHECK_FALSE(config.rate_limit);
    CHECK(config.warnings.empty());
  }
}

TEST_CASE("TLS that says no more than its certificate is 1.2 and 1.3 for everybody", "[web]") {
  const auto config = parsed(tls(""));
  REQUIRE(config.tls);
  CHECK(config.tls->client_auth == ClientAuth::none);
  CHECK(config.tls->min_version == TlsVersion::tls12);
  CHECK(config.tls->max_version == TlsVersion::tls13);
  CHECK(config.tls->prefer_server_cipher_suites);
}

TEST_CASE("every kind of client authentication has its name", "[web]") {
  const std::pair<const char*, ClientAuth> types[] = {
      {"NoClientCert", ClientAuth::none},
      {"RequestClientCert", ClientAuth::request},
      {"RequireAnyClientCert", ClientAuth::require_any},
      {"RequireClientCert", ClientAuth::require_any},
      {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
      {"RequireAndVerifyClientCert", ClientAuth::require_and_verify}};
  for (const auto& [name, type] : types) {
    const auto ca = type == ClientAuth::none ? "" : "  client_ca_file: ca\n";
    CHECK(parsed(tls(std::string("  client_auth_type: ") + name + "\n" + ca)).tls->client_auth == type);
  }
  CHECK(complaint(tls("  client_auth_type: Always\n")) ==
        "4: client_auth_type is \"Always\"; allowed: NoClientCert, RequestClientCert, RequireAnyClientCert, "
        "VerifyClientCertIfGiven or RequireAndVerifyClientCert");
}

TEST_CASE("HTTP/2 cannot be had, which is said where it is asked for", "[web]") {
  CHECK(parsed("http_server_config: {http2: true}").warnings ==
        std::vector<std::string>{"http2 is true, but only HTTP/1.1 is served, to every client"});
  CHECK(parsed("http_server_config: {http2: false}").warnings.empty());
}

TEST_CASE("an unknown key is an error with its line and the nearest known one", "[web]") {
  CHECK(complaint("# first\ntls_sever_config: {}\n") ==
        "2: unknown key \"tls_sever_config\"; did you mean \"tls_server_config\"?");
  CHECK(complaint(tls("  cert_fil: c\n")) == "4: unknown key \"cert_fil\"; did you mean \"cert_file\"?");
  CHECK(complaint("rate_limit: {per: 1s}") == "1: unknown key \"per\"");
  CHECK(complaint("<<: {}") == "1: unknown key \"<<\"");
  CHECK(complaint("\"a\\nb\": 1") == "1: unknown key \"a\\nb\"");
  CHECK(complaint(std::string(200, 'x') + ": 1") == "1: unknown key \"" + std::string(80, 'x') + "...\"");
}

TEST_CASE("a key that is there twice is an error, at any depth", "[web]") {
  CHECK(complaint("rate_limit: {}\nrate_limit: {}\n") == "2: the key \"rate_limit\" is there twice");
  CHECK(complaint(tls("  cert_file: d\n")) == "4: the key \"cert_file\" is there twice");
  CHECK(complaint("basic_auth_users:\n  a: " + std::string(kHash) + "\n  a: " + std::string(kHash)) ==
        "3: the key \"a\" is there twice");
}

TEST_CASE("what is not YAML, or not what a key wants, is an error with its line", "[web]") {
  CHECK_THAT(complaint("a: [\n"), ContainsSubstring(": "));
  CHECK_THAT(complaint("a: *nowhere\n"), ContainsSubstring("1: "));
  CHECK(complaint("just a text") == "1: the file is not a mapping of keys to values");
  CHECK(complaint("[1, 2]") == "1: the file is not a mapping of keys to values");
  CHECK(complaint("[a]: b") == "1: the file has a key that is not a text");
  CHECK(complaint("rate_limit: {}\n---\nrate_limit: {}\n")
            .ends_with("a second document begins, or something that is not YAML"));
  CHECK(complaint("tls_server_config: on") == "1: tls_server_config is not a mapping of keys to values");
  CHECK(complaint("tls_server_config:\n  cert_file: [a]\n") == "2: cert_file is not a text");
  CHECK(complaint(tls("  client_allowed_sans: name\n")) == "4: client_allowed_sans is not a list");
  CHECK(complaint(tls("  client_allowed_sans:\n    - a\n    - {}\n")) ==
        "6: client_allowed_sans has an entry that is not a text");
  CHECK(complaint(tls("  prefer_server_cipher_suites: maybe\n")) ==
        "4: prefer_server_cipher_suites is neither true nor false");
  CHECK(complaint("http_server_config: {http2: \"true\"}") == "1: http2 is neither true nor false");
}

TEST_CASE("a quote that is not closed does not swallow the rest of the file", "[web]") {
  for (const auto* quote : {"'", "\""}) {
    const auto text = std::string("http_server_config:\n  headers:\n    X-XSS-Protection: ") + quote + "0\n";
    CHECK(complaint(text) == "4: a quote is not closed before this line");
    CHECK(complaint(text + tls("")) == "7: a quote is not closed before this line");
    CHECK(complaint(text + "tls_server_config: {}") == "5: a quote is not closed before this line");
  }
}

TEST_CASE("a key without its colon is an error", "[web]") {
  CHECK(complaint("rate_limit: {}\nbasic_auth_users") ==
        "2: the key \"basic_auth_users\" has no colon followed by a blank");
  CHECK(complaint("rate_limit: {}\nbasic_auth_users\n") ==
        "2: the key \"basic_auth_users\" has no colon followed by a blank");
  CHECK(complaint(tls("  client_ca_file")) ==
        "4: the key \"client_ca_file\" has no colon followed by a blank");
  CHECK_THAT(complaint("rate_limit: {}\n\"basic_auth_users\""), ContainsSubstring("2: "));
  CHECK(parsed("? rate_limit\n? basic_auth_users\n").users.empty());
}

TEST_CASE("what other readers of YAML refuse, or read in another way, is an error", "[web]") {
  const std::string behind = "\nrate_limit: {}\n";
  for (const auto* comment :
       {"# \x01", "# \x7f", "# \xc2\x80", "# \xc2\x85tls_server_config: {}", "# \xef\xbf\xbe",
        "# a line ends here\rtls_server_config: {}", "# and here\xe2\x80\xa8rate_limit:"})
    CHECK(complaint("\n" + std::string(comment) + behind) == "2: a control character");
  CHECK(complaint(std::string("# \0", 3) + behind) == "1: a control character");
  CHECK(complaint("# \xff" + behind) == "1: not UTF-8");
  CHECK(complaint("# \xc3" + behind) == "1: not UTF-8");
  CHECK(complaint("\t# comment" + behind) == "1: a tab before a comment");
  CHECK(complaint("rate_limit:\n  \t# comment\n  burst: 1\n") == "2: a tab before a comment");
  CHECK(complaint("%YAML 1.2\n---" + behind) == "1: a directive, or a text that begins with %");
  CHECK(complaint("http_server_config: {http2: !!str true}") == "1: a tag, or a text that begins with !");
  CHECK(complaint("http_server_config:\n  !x {http2: true}") == "2: a tag, or a text that begins with !");
  CHECK(complaint("rate_limit: !!seq []") == "1: a tag, or a text that begins with !");
  CHECK_THAT(complaint("...\nbasic_auth_users: {}\n"), ContainsSubstring("document"));
}

TEST_CASE("a zero byte in a key or a text is an error", "[web]") {
  CHECK(complaint(tls("  client_ca_file: \"c\\0d\"")) == "4: client_ca_file has a zero byte in its text");
  CHECK(complaint("basic_auth_users:\n  \"a\\x00b\": x\n") == "2: the key \"a\\x00b\" has a zero byte in it");
}

TEST_CASE("comments, tabs, ends of lines and of the document may be as YAML has them", "[web]") {
  for (const std::string text :
       {"rate_limit: {burst: 5, interval: 1s}", "rate_limit:\r\n  burst: 5\r\n  interval: 1s\r\n",
        "\xef\xbb\xbf# gr\xc3\xbc\xc3\x9f\nrate_limit:\t{burst: 5, interval: 1s}\t# a\ttab\n",
        "---\nrate_limit: {burst: 5, interval: 1s}\n...\n# the end\n",
        "rate_limit: &limit {burst: 5, interval: '1s'}\n"})
    CHECK(parsed(text).rate_limit == RateLimit{1s, 5});
  CHECK(parsed("tls_server_config:\n  cert_file: c\n  key: |+\n    k\n\n").tls->key.text == "k\n\n");
}

TEST_CASE("nothing at all is no switch, no version and no name of a user", "[web]") {
  for (const auto* nothing : {"", "null", "~"}) {
    const auto value = std::string(": ") + nothing + "\n";
    CHECK(complaint("http_server_config:\n  http2" + value) == "2: http2 is neither true nor false");
    CHECK_THAT(complaint(tls("  min_version" + value)),
               ContainsSubstring("4: min_version is \"\"; allowed: "));
    if (*nothing == '\0') continue;
    CHECK(complaint("basic_auth_users:\n  " + (nothing + (": " + std::string(kHash))) + "\n") ==
          "2: basic_auth_users has a key that is not a text");
  }
}

TEST_CASE("TLS that contradicts itself is an error", "[web]") {
  CHECK(complaint("\ntls_server_config:\n  key_file: k\n") ==
        "2: tls_server_config has no cert_file and no cert");
  CHECK(complaint("tls_server_config: {min_version: TLS13}") ==
        "1: tls_server_config has no cert_file and no cert");
  CHECK(complaint("tls_server_config: {cert_file: c}") == "1: tls_server_config has no key_file and no key");
  CHECK(complaint("tls_server_config: {cert_file: c, key_file: \"\"}") ==
        "1: tls_server_config has no key_file and no key");
  CHECK(complaint(tls("  cert: x\n")) == "1: tls_server_config has both cert and cert_file");
  CHECK(complaint(tls("  key: x\n")) == "1: tls_server_config has both key and key_file");
  CHECK(complaint(tls("  client_ca: x\n  client_ca_file: x\n")) ==
        "1: tls_server_config has both client_ca and client_ca_file");
  CHECK(complaint(tls("  min_version: TLS13\n  max_version: TLS12\n")) ==
        "1: tls_server_config has a max_version below its min_version");
  CHECK(complaint(tls("  client_ca_file: ca\n")) ==
        "1: tls_server_config has a client CA but no client_auth_type that asks for a certificate");
  CHECK(complaint(tls("  client_ca: x\n  client_auth_type: NoClientCert\n")) ==
        "1: tls_server_config has a client CA but no client_auth_type that asks for a certificate");
  for (const auto* type : {"RequireAndVerifyClientCert", "VerifyClientCertIfGiven"})
    CHECK(complaint(tls(std::string("  client_auth_type: ") + type + "\n")) ==
          "1: tls_server_config has a client_auth_type that verifies certificates, but no client_ca_file and "
          "no client_ca");
}

TEST_CASE("allowed names need a client that must show a certificate", "[web]") {
  const std::string names = "  client_allowed_sans: [a]\n";
  for (const auto* type : {"NoClientCert", "RequestClientCert"})
    CHECK(complaint(tls(names + "  client_auth_type: " + type + "\n")) ==
          "1: tls_server_config has client_allowed_sans, which need the client_auth_type "
          "RequireAndVerifyClientCert or RequireAnyClientCert");
  CHECK(parsed(tls(names + "  client_auth_type: RequireAnyClientCert\n")).tls);
  CHECK(complaint(tls("  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: []\n")) ==
        "1: tls_server_config has client_allowed_sans without an entry");
}

TEST_CASE("versions, cipher suites and curves that are not served are refused by name", "[web]") {
  CHECK(complaint(tls("  min_version: TLS10\n")) ==
        "4: min_version is \"TLS10\"; allowed: TLS12 or TLS13, older versions are not supported");
  CHECK(complaint(tls("  max_version: [TLS13]\n")) ==
        "4: max_version is \"?\"; allowed: TLS12 or TLS13, older versions are not supported");
  const auto suite = complaint(tls("  cipher_suites:\n    - TLS_RSA_WITH_RC4_128_SHA\n"));
  CHECK(
      suite.starts_with("5: cipher_suites has \"TLS_RSA_WITH_RC4_128_SHA\", which is not served; allowed: "
                        "TLS_AES_128_GCM_SHA256, "));
  CHECK(complaint(tls("  curve_preferences: [CurveP224]\n")) ==
        "4: curve_preferences has \"CurveP224\", which is not served; allowed: X25519, CurveP256, CurveP384, "
        "CurveP521");
}

TEST_CASE("only the five headers can be set, and to nothing that would begin another one", "[web]") {
  const auto header = [](const std::string& line) {
    return "http_server_config:\n  headers:\n    " + line + "\n";
  };
  CHECK(complaint(header("X-Powered-By: me")).starts_with("3: headers has \"X-Powered-By\"; allowed: "));
  CHECK(complaint(header("X-Frame-Options: allow")) ==
        "3: X-Frame-Options is \"allow\"; allowed: deny or sameorigin");
  CHECK(complaint(header("X-Content-Type-Options: sniff")) ==
        "3: X-Content-Type-Options is \"sniff\"; allowed: nosniff");
  CHECK(complaint(header("X-XSS-Protection: \"0\\r\\nSet-Cookie: a=b\"")) ==
        "3: X-XSS-Protection has a line break or another control character");
  CHECK(complaint(header("X-XSS-Protection: [a]")) == "3: X-XSS-Protection is not a text");
}

TEST_CASE("a password must be a bcrypt hash that can be checked in time, and is never shown", "[web]") {
  const auto user = [](const std::string& name, const std::string& hash) {
    return "basic_auth_users:\n  " + name + ": " + hash + "\n";
  };
  for (const auto* hash : {"secret", "''", "[a]", "$1$abcdefgh$0123456789012345678901", "$2x$04$x",
                           "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr",
                           "$2y$03$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"})
    CHECK(complaint(user("anna", hash)) ==
          "2: basic_auth_users: the user \"anna\" has no bcrypt hash ($2a$, $2b$ or $2y$)");
  std::string costly(kHash);
  costly.replace(4, 2, "16");
  CHECK(complaint(user("anna", costly)) ==
        "2: basic_auth_users: the user \"anna\" has a hash of cost 16; allowed: 4 to 15, a higher one takes "
        "seconds for each login");
  CHECK(complaint(user("\"a:b\"", std::string(kHash))) ==
        "2: basic_auth_users: the user \"a:b\" has a colon in its name");
}

TEST_CASE("a rate limit needs a time with its unit, and room for a request", "[web]") {
  const auto limit = [](const std::string& text) { return "rate_limit: {" + text + "}"; };
  CHECK(parsed(limit("interval: 100ms, burst: 1")).rate_limit == RateLimit{100ms, 1});
  for (const auto* interval : {"1", "fast", "-1s", "1 s", "s", "1.2.3s", "9999999h", "[1s]"})
    CHECK(complaint(limit(std::string("burst: 1, interval: ") + interval)) ==
          "1: interval is not a time such as 100ms or 1s");
  for (const auto* burst : {"-1", "many", "1.5", "9999999999", "\"5\"", "[]"})
    CHECK(complaint(limit(std::string("interval: 1s, burst: ") + burst)) ==
          "1: burst is not a whole number from 0 up");
  CHECK(complaint(limit("interval: 1s")) ==
        "1: rate_limit has an interval, but a burst of 0: every request would be refused");
}

TEST_CASE("every beginning of a web configuration file is a configuration or an error", "[web]") {
  for (std::size_t length = 0; length < kEverything.size(); ++length) {
    const auto config = parse_web_config("web.yml", std::string_view(kEverything).substr(0, length));
    if (!config) CHECK(config.error().detail.starts_with("web.yml:"));
    if (config && config->tls) CHECK(config->tls->key.given());
  }
}

TEST_CASE("a web configuration file that is too large, deep or full of references is no trouble", "[web]") {
  const auto large = parse_web_config("web.yml", std::string(kMaxWebConfigBytes + 1, '#'));
  REQUIRE_FALSE(large);
  CHECK(large.error().code == Errc::too_large);
  CHECK_FALSE(parse_web_config("web.yml", std::string(100'000, '[')));
  CHECK_FALSE(parse_web_config("web.yml", std::string(100'000, '{')));
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 60; ++i) {
    const auto last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + ", " + last + "]\n";
  }
  CHECK(complaint(bomb) == "1: unknown key \"a0\"");
  CHECK_FALSE(parse_web_config("web.yml", ",ULLa\xc7: \xe4}---:\\}"));
  CHECK_FALSE(parse_web_config("web.yml", std::string("\x00\xff\xfe\x01garbage", 11)));
}
