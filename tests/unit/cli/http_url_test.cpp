// SPDX-License-Identifier: Apache-2.0
#include "cli/http_url.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

HttpUrl parsed(const std::string& text) {
  const auto url = parse_http_url(text);
  INFO(text);
  REQUIRE(url);
  return *url;
}

std::string complaint(const std::string& text) {
  const auto url = parse_http_url(text);
  INFO(text);
  REQUIRE_FALSE(url);
  return url.error().detail;
}

}  // namespace

TEST_CASE("a URL names a host, a port and a place, with TLS or without") {
  CHECK(parsed("http://db1") == HttpUrl{false, "db1", 80, "/"});
  CHECK(parsed("https://db1") == HttpUrl{true, "db1", 443, "/"});
  CHECK(parsed("https://db1:10180") == HttpUrl{true, "db1", 10180, "/"});
  CHECK(parsed("http://db1:10180/") == HttpUrl{false, "db1", 10180, "/"});
  CHECK(parsed("http://10.0.0.1:1/tcp/diag") == HttpUrl{false, "10.0.0.1", 1, "/tcp/diag/"});
  CHECK(parsed("https://[::1]:10180") == HttpUrl{true, "::1", 10180, "/"});
  CHECK(parsed("http://[fe80::1%eth0]") == HttpUrl{false, "fe80::1%eth0", 80, "/"});
  CHECK(parsed("http://db1:") == HttpUrl{false, "db1", 80, "/"});
}

TEST_CASE("a URL is shown as it was given, with its port") {
  for (const auto* text : {"http://db1:80/", "https://[::1]:10180/x/", "http://[fe80::1%eth0]:1/"}) {
    CHECK(to_string(parsed(text)) == text);
    CHECK(parsed(to_string(parsed(text))) == parsed(text));
  }
  CHECK(authority(parsed("https://[::1]:10180/x")) == "[::1]:10180");
  CHECK(authority(parsed("http://db1")) == "db1:80");
}

TEST_CASE("what is no such URL is refused in one line that says what is allowed") {
  for (const auto* bad : {"",
                          "http://",
                          "http:///x",
                          "https:///x",
                          "http:db1",
                          "http://:80",
                          "db1:10180",
                          "ftp://db1",
                          "file:///etc/passwd",
                          "http://db1?x=1",
                          "http://db1/#x",
                          "http://db1:0",
                          "http://db1:65536",
                          "http://db1:-1",
                          "http://db1:8o",
                          "http://db1: 80",
                          "http://db 1",
                          "http://db1/a b",
                          "http://db1\r\nX: y",
                          "http://d\xc3\xa4",
                          "http://[::1",
                          "http://[]:80",
                          "http://[::1]80",
                          "http://::1"}) {
    const auto said = complaint(bad);
    CHECK_THAT(said, ContainsSubstring("--url is "));
    CHECK(said.find_first_of("\r\n") == std::string::npos);
  }
  CHECK(complaint("db1:10180") == "--url is \"db1:10180\"; allowed: http://HOST:PORT or https://HOST:PORT");
  CHECK(complaint("http://db1:0") == "--url is \"http://db1:0\"; its port is not a number from 1 to 65535");
  CHECK(complaint("http://db1:99999") ==
        "--url is \"http://db1:99999\"; its port is not a number from 1 to 65535");
  CHECK(complaint("http://:80") == "--url is \"http://:80\"; it names no host");
}

TEST_CASE("a name and a password in a URL are refused without a word of them") {
  for (const auto* text : {"http://anna@db1", "https://anna:hunter2@db1:10180",
                           "http://anna:hunter2@db1:99999", "anna:hunter2@db1", "http://anna:hunter2 @db1"}) {
    const auto said = complaint(text);
    CHECK_THAT(said, ContainsSubstring("--http.config.file"));
    CHECK(said.find("anna") == std::string::npos);
    CHECK(said.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("a host is what can stand in a URL as one, and nothing more") {
  for (const auto* host : {"db1", "db1.example", "10.0.0.1", "::1", "fe80::1%eth0"}) CHECK(is_host(host));
  for (const auto* text : {"", "db1:80", "a b", "a/b", "a@b", "a?b", "a#b", "[::1]", "a\nb", "::g", "a\\b"})
    CHECK_FALSE(is_host(text));
}

TEST_CASE("a proxy is asked by HTTP or SOCKS") {
  for (const auto* url : {"http://proxy:3128", "http://proxy", "socks5://proxy:1080", "socks5h://[::1]:1080/",
                          "http://anna:secret@proxy:3128"})
    CHECK(is_proxy_url(url));
  for (const auto* text : {"", "proxy:3128", "https://proxy", "ftp://proxy", "http://", "http:///",
                           "http://a b", "socks5://", "http://proxy:x"})
    CHECK_FALSE(is_proxy_url(text));
}
