// SPDX-License-Identifier: Apache-2.0
#include "exporters/external_url.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("an external URL is a link that browsers and templates take as it is") {
  for (const auto* url : {"http://web1", "https://web1.example.com:8443", "http://10.0.0.1:10180/",
                          "http://[2001:db8::1]:10180", "https://proxy.example.com/hosts/web1/",
                          "https://proxy.example.com/hosts/web1"})
    CHECK(is_external_url(url));
}

TEST_CASE("what is no such link is refused") {
  for (const auto* url : {"",
                          "web1",
                          "web1:10180",
                          "ftp://web1",
                          "HTTP://web1",
                          "http://",
                          "http:///",
                          "http://:10180",
                          "http://web1:",
                          "http://web1:0",
                          "http://web1:65536",
                          "http://web1:http",
                          "http://*.example.com",
                          "http://[::1",
                          "http://[::1]x",
                          "http://[fe80::1%eth0]",
                          "http://[evil]",
                          "http://user@web1",
                          "http://user:secret@web1/",
                          "http://web1/?a=1",
                          "http://web1/#x",
                          "http://web1/a b",
                          "http://web1/\n",
                          "http://web1/<script>",
                          "http://web1/\"",
                          "http://web1/'",
                          "http://web1/{{",
                          "http://w\xc3\xa9"})
    CHECK_FALSE(is_external_url(url));
  CHECK_FALSE(is_external_url("http://web1/" + std::string(512, 'a')));
}

TEST_CASE("the host of an external URL is found without its port and path") {
  CHECK(host_of("https://web1.example.com:8443/tcpdiag") == "web1.example.com");
  CHECK(host_of("http://[2001:db8::1]:10180") == "[2001:db8::1]");
  CHECK(host_of("http://web1") == "web1");
}

TEST_CASE("a link that something follows ends with a slash, and without a link there is none") {
  CHECK(with_slash("https://web1/a") == "https://web1/a/");
  CHECK(with_slash("https://web1/") == "https://web1/");
  CHECK(with_slash("").empty());
}
