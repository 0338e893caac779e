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

}  // namespace

TEST_CASE("a URL names a host, a port and a place") {
  CHECK(parsed("http://db1") == HttpUrl{"db1", 80, "/"});
  CHECK(parsed("http://db1:10180") == HttpUrl{"db1", 10180, "/"});
  CHECK(parsed("http://db1:10180/") == HttpUrl{"db1", 10180, "/"});
  CHECK(parsed("http://10.0.0.1:1/tcp/diag") == HttpUrl{"10.0.0.1", 1, "/tcp/diag/"});
  CHECK(parsed("http://[::1]:10180") == HttpUrl{"::1", 10180, "/"});
  CHECK(parsed("http://[fe80::1%eth0]") == HttpUrl{"fe80::1%eth0", 80, "/"});
  CHECK(authority(parsed("http://[::1]:10180/x")) == "[::1]:10180");
  CHECK(authority(parsed("http://db1")) == "db1:80");
}

TEST_CASE("what is no such URL is refused in one line that says what is allowed") {
  for (const auto* bad : {"",
                          "http://",
                          "http:///x",
                          "http://:80",
                          "db1:10180",
                          "ftp://db1",
                          "HTTP://db1",
                          "https://db1:10180",
                          "http://user@db1",
                          "http://user:word@db1",
                          "http://db1?x=1",
                          "http://db1/#x",
                          "http://db1:",
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
    CAPTURE(bad);
    const auto url = parse_http_url(bad);
    REQUIRE_FALSE(url);
    CHECK_THAT(url.error().detail, ContainsSubstring("--url is "));
    CHECK(url.error().detail.find_first_of("\r\n") == std::string::npos);
  }
  CHECK(parse_http_url("https://db1").error().detail ==
        "--url is \"https://db1\"; HTTPS is not supported, only http://HOST:PORT");
  CHECK(parse_http_url("http://db1:0").error().detail ==
        "--url is \"http://db1:0\"; its port is not a number from 1 to 65535");
}
