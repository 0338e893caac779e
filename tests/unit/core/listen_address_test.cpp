// SPDX-License-Identifier: Apache-2.0
#include "core/listen_address.h"

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::string_view_literals;

TEST_CASE("listen addresses are a port alone, an IP address with one, or localhost") {
  CHECK(parse_listen_address(":10180") == ListenAddress{std::nullopt, 10180});
  CHECK(parse_listen_address(":0") == ListenAddress{std::nullopt, 0});
  const auto v4 = parse_listen_address("127.0.0.1:9");
  REQUIRE(v4);
  CHECK(to_string(*v4->address) == "127.0.0.1");
  CHECK(v4->port == 9);
  CHECK(parse_listen_address("localhost:9") == v4);
  const auto v6 = parse_listen_address("[2001:db8::1]:65535");
  REQUIRE(v6);
  CHECK(to_string(*v6->address) == "2001:db8::1");
  CHECK(v6->port == 65535);
  CHECK(to_string(*parse_listen_address("[::]:1")->address) == "::");
}

TEST_CASE("everything else is refused with the reason") {
  const auto reason = [](std::string_view text) {
    const auto address = parse_listen_address(text);
    REQUIRE_FALSE(address);
    const auto where = "listen address '" + std::string(text) + "': ";
    REQUIRE(address.error().detail.starts_with(where));
    return address.error().detail.substr(where.size());
  };
  for (const auto text : {""sv, "10180"sv, "localhost"sv}) CHECK(reason(text) == "no ':' before the port");
  for (const auto text :
       {":"sv, ":65536"sv, ":-1"sv, ":+1"sv, ": 1"sv, ":1 "sv, "[::1]"sv, ":0x10"sv, ":1\0"sv})
    CHECK(reason(text) == "the port is not a number from 0 to 65535");
  for (const auto text : {"::1:80"sv, "1:2:3"sv}) CHECK(reason(text) == "an IPv6 address needs brackets");
  for (const auto text : {"example.org:80"sv, "1.2.3:80"sv, "256.1.1.1:80"sv, "[]:80"sv, "[1.2.3.4]:80"sv,
                          "[fe80::1%eth0]:80"sv, " :80"sv, "127.0.0.1\0:80"sv, "[::1\0]:80"sv})
    CHECK(reason(text) == "not an IP address");
}
