// SPDX-License-Identifier: Apache-2.0
#include "exporters/bcrypt.h"

#include <time.h>

#include <chrono>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

const std::string kHash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

}  // namespace

TEST_CASE("a bcrypt hash is told from others by its form", "[web]") {
  CHECK(bcrypt_cost(kHash) == 4);
  for (const char version : {'a', 'b', 'y'})
    CHECK(bcrypt_cost("$2" + std::string(1, version) + kHash.substr(3)) == 4);
  auto costly = kHash;
  costly.replace(4, 2, "31");
  CHECK(bcrypt_cost(costly) == 31);
  for (const auto* cost : {"32", "03", "00", "4x", "x4", "99"}) {
    auto wrong = kHash;
    wrong.replace(4, 2, cost);
    CHECK(bcrypt_cost(wrong) == 0);
  }
  for (const char version : {'x', '\0', '$', '1'})
    CHECK(bcrypt_cost("$2" + std::string(1, version) + kHash.substr(3)) == 0);
  CHECK(bcrypt_cost(kHash + "a") == 0);
  CHECK(bcrypt_cost(kHash.substr(0, 59) + "!") == 0);
  for (std::size_t length = 0; length < kHash.size(); ++length)
    CHECK(bcrypt_cost(kHash.substr(0, length)) == 0);
}

TEST_CASE("a bcrypt hash matches its password and no other", "[web]") {
  CHECK(bcrypt_matches(kHash, "secret"));
  for (const auto* version : {"$2a", "$2b"}) CHECK(bcrypt_matches(version + kHash.substr(3), "secret"));
  CHECK_FALSE(bcrypt_matches(kHash, "Secret"));
  CHECK_FALSE(bcrypt_matches(kHash, ""));
  CHECK_FALSE(bcrypt_matches(kHash, "secret "));
  CHECK_FALSE(bcrypt_matches(kHash, std::string("secret\0", 7)));
  CHECK_FALSE(bcrypt_matches(kHash, std::string(10'000, 'x')));
}

TEST_CASE("a wrong password takes as long as with a hash of a higher cost, a right one does not", "[web]") {
  const auto cpu_time = [](auto work) {
    const auto now = [] {
      timespec time{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    };
    const auto begin = now();
    work();
    return now() - begin;
  };
  auto slow = kHash;
  slow.replace(4, 2, "10");
  const auto slow_one = cpu_time([&] { CHECK_FALSE(bcrypt_matches(slow, "wrong")); });
  const auto wrong = cpu_time([&] { CHECK_FALSE(bcrypt_matches(kHash, "wrong", 10)); });
  const auto right = cpu_time([&] { CHECK(bcrypt_matches(kHash, "secret", 10)); });
  CHECK((wrong > slow_one / 2 && wrong < slow_one * 2));
  CHECK(right < slow_one / 8);
}
