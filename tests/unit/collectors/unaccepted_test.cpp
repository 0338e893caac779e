// SPDX-License-Identifier: Apache-2.0
#include "collectors/unaccepted.h"

#include <algorithm>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

// What one dump shows: cookies by port.
using Shown = std::vector<std::pair<std::uint16_t, std::vector<std::uint64_t>>>;

std::vector<Count> left_after(UnacceptedFollower& follower, const Shown& shown) {
  std::vector<PortConnections> rows;
  for (const auto& [port, cookies] : shown) {
    rows.push_back({.port = port});
    for (const auto cookie : cookies) follower.add(port, cookie);
  }
  follower.finish(rows);
  std::vector<Count> left;
  for (const auto& row : rows) left.push_back(row.unaccepted_left);
  return left;
}

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> cookies;
  for (auto cookie = first; cookie <= last; ++cookie) cookies.push_back(cookie);
  return cookies;
}

using Left = std::vector<Count>;

}  // namespace

TEST_CASE("of the connections that waited at the dump before, those are told that wait no more") {
  UnacceptedFollower follower;
  CHECK(left_after(follower, {{80, {1, 2, 3}}, {443, {4}}}) == Left{std::nullopt, std::nullopt});
  CHECK(left_after(follower, {{80, {3, 5, 6}}, {443, {4}}}) == Left{2, 0});
  CHECK(left_after(follower, {{80, {3, 5, 6}}, {443, {}}}) == Left{0, 1});
  CHECK(left_after(follower, {{80, {}}, {443, {}}}) == Left{3, 0});
  CHECK(left_after(follower, {{80, {}}, {443, {}}}) == Left{0, 0});
}

TEST_CASE("a connection that a dump shows twice is one") {
  UnacceptedFollower follower;
  left_after(follower, {{80, {1, 1, 2}}});
  CHECK(left_after(follower, {{80, {2, 2}}}) == Left{1});
}

TEST_CASE("connections are followed in whatever order the dumps show them") {
  auto cookies = numbers(1, 1000), others = numbers(501, 1500);
  std::reverse(others.begin(), others.end());
  UnacceptedFollower follower;
  left_after(follower, {{80, cookies}});
  CHECK(left_after(follower, {{80, others}}) == Left{500});
  cookies.insert(cookies.end(), {1500, 1500});
  CHECK(left_after(follower, {{80, cookies}}) == Left{499});
  CHECK(left_after(follower, {{80, cookies}}) == Left{0});
}

TEST_CASE("a port that is no longer there takes its connections with it") {
  UnacceptedFollower follower;
  left_after(follower, {{80, {1}}, {443, {2}}});
  CHECK(left_after(follower, {{22, {}}, {443, {}}}) == Left{0, 1});
}

TEST_CASE("a dump that failed half-way leaves what the one before it showed") {
  UnacceptedFollower follower;
  left_after(follower, {{80, {1, 2}}});
  follower.add(80, 1);
  follower.add(80, 9);
  follower.discard();
  CHECK(left_after(follower, {{80, {2}}}) == Left{1});
}

TEST_CASE("nothing is known after another namespace's dump") {
  UnacceptedFollower follower;
  left_after(follower, {{80, {1, 2}}});
  follower.forget();
  CHECK(left_after(follower, {{80, {1}}}) == Left{std::nullopt});
  CHECK(left_after(follower, {{80, {}}}) == Left{1});
}

TEST_CASE("as many as can be followed are followed exactly, whatever their cookies") {
  constexpr auto kMost = std::uint64_t{UnacceptedFollower::kMost};
  for (const std::uint64_t first :
       {std::uint64_t{1}, std::uint64_t{1} << 32, ~std::uint64_t{0} - 2 * kMost}) {
    UnacceptedFollower follower;
    left_after(follower, {{80, numbers(first, first + kMost - 1)}});
    CHECK(left_after(follower, {{80, numbers(first + 1000, first + kMost)}}) == Left{1000});
  }
}

TEST_CASE("after more connections than can be followed it is not known how many left, and then it is again") {
  constexpr auto kMost = std::uint64_t{UnacceptedFollower::kMost};
  UnacceptedFollower follower;
  left_after(follower, {{80, {1, 2}}});
  CHECK(left_after(follower, {{80, numbers(2, kMost + 2)}}) == Left{std::nullopt});
  CHECK(left_after(follower, {{80, {2}}}) == Left{std::nullopt});
  CHECK(left_after(follower, {{80, {}}}) == Left{1});
}
