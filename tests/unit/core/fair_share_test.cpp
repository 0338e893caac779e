// SPDX-License-Identifier: Apache-2.0
#include "core/fair_share.h"

#include <string>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

struct Wish {
  std::string owner, what;
  std::size_t places = 1;
};

std::string in_turn(std::vector<Wish> wishes) {
  share_out(wishes, &Wish::owner, &Wish::places);
  std::string order;
  for (const auto& wish : wishes) order += wish.what;
  return order;
}

}  // namespace

TEST_CASE("each owner gets a place before any gets a second one, and otherwise the order stays") {
  CHECK(in_turn({}).empty());
  CHECK(in_turn({{"x", "a"}, {"x", "b"}, {"x", "c"}}) == "abc");
  CHECK(in_turn({{"x", "a"}, {"x", "b"}, {"y", "c"}, {"x", "d"}, {"z", "e"}, {"y", "f"}}) == "acebfd");
}

TEST_CASE("whoever takes many places at once waits until the others have had as many") {
  CHECK(in_turn({{"x", "a", 3}, {"x", "b", 1}, {"y", "c"}, {"y", "d"}, {"y", "e"}}) == "cdaeb");
}

TEST_CASE("of owners within owners both get their share") {
  std::vector<Wish> wishes = {{"x1", "a"}, {"x1", "b"}, {"x2", "c"}, {"y1", "d"}};
  share_out(wishes, &Wish::owner);
  share_out(wishes, [](const Wish& wish) { return wish.owner.substr(0, 1); });
  std::string order;
  for (const auto& wish : wishes) order += wish.what;
  CHECK(order == "adcb");
}
