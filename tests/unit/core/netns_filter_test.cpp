// SPDX-License-Identifier: Apache-2.0
#include "core/netns_filter.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("a pattern is the whole name, a star any part of it") {
  CHECK(matches("shop", "shop"));
  CHECK_FALSE(matches("shop", "shop2"));
  CHECK_FALSE(matches("hop", "shop"));
  CHECK(matches("payments/*", "payments/checkout-7d9f"));
  CHECK(matches("payments/*", "payments/"));
  CHECK_FALSE(matches("payments/*", "payments"));
  CHECK(matches("*-canary", "payments/checkout-canary"));
  CHECK_FALSE(matches("*-canary", "checkout-canary-2"));
  CHECK(matches("*", ""));
  CHECK(matches("*", "anything/at all"));
  CHECK(matches("**a**", "bab"));
  CHECK(matches("a*b*c", "a-b-b-c"));
  CHECK_FALSE(matches("a*b*c", "a-c-b"));
}

TEST_CASE("a question mark is one byte") {
  CHECK(matches("web-?", "web-1"));
  CHECK_FALSE(matches("web-?", "web-"));
  CHECK_FALSE(matches("web-?", "web-12"));
  CHECK(matches("*-?", "a-b-1"));
}

TEST_CASE("a pattern of many stars does not take for ever") {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "*a";
  CHECK_FALSE(matches(pattern + "b", std::string(2000, 'a')));
}

TEST_CASE("what no namespace could be called is no pattern") {
  for (const auto* good : {"shop", "payments/*", "*", "netns 4026532281", "shop (podman)", "caf\xc3\xa9"})
    CHECK(is_netns_pattern(good));
  for (const auto* bad :
       {"", "host", "/run/netns/shop", "a\nb", "a\"b", "it's", "a\\*", "\xff", "web-[12]", "{a,b}"})
    CHECK_FALSE(is_netns_pattern(bad));
  for (const auto* name : {"host", "web-[12]"}) CHECK(is_netns_name(name));
  for (const auto* bad : {"", "/run/netns/shop", "a\"b"}) CHECK_FALSE(is_netns_name(bad));
  CHECK(is_netns_pattern(std::string(kLongestNetnsPattern, 'a')));
  CHECK_FALSE(is_netns_pattern(std::string(kLongestNetnsPattern + 1, 'a')));
}

TEST_CASE("what is excluded prevails over what is included") {
  const NetnsFilter all;
  CHECK(all.wants("shop"));
  const NetnsFilter some{.include = {"payments/*", "shop"}, .exclude = {"*-canary"}};
  CHECK(some.wants("shop"));
  CHECK(some.wants("payments/checkout"));
  CHECK_FALSE(some.wants("payments/checkout-canary"));
  CHECK_FALSE(some.wants("blue"));
  CHECK_FALSE(NetnsFilter{.exclude = {"*"}}.wants("shop"));
}
