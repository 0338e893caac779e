// SPDX-License-Identifier: Apache-2.0
#include "exporters/password_checks.h"

#include <atomic>
#include <ctime>
#include <future>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

// of the password "secret"; the second takes 128 times as long
const std::string kQuick = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
const std::string kSlow = "$2y$11$abcdefghijklmnopqrstuuViuGI07N4McP9Kl.tD6XMEzyuvcY8LG";

const Users kUsers = {{"anna", kQuick}};

using Answer = PasswordChecks::Answer;

/// What becomes of it in the end.
bool is_right(PasswordChecks& checks, const Users& users, const Credentials& credentials) {
  std::promise<bool> verdict;
  bool waited = false;
  const auto answer = checks.check(
      users, credentials, "peer", [&] { waited = true; },
      [&](auto right) { verdict.set_value(right.value()); });
  CHECK(waited == (answer == Answer::later));
  if (answer == Answer::later) return verdict.get_future().get();
  REQUIRE(answer == Answer::right);
  return true;
}

Answer ask(
    PasswordChecks& checks, const Users& users, const Credentials& credentials,
    const std::string& peer = "peer", const PasswordChecks::Done& done = [](auto) {}) {
  return checks.check(users, credentials, peer, [] {}, done);
}

}  // namespace

TEST_CASE("a right password is right, and nothing else is", "[web]") {
  PasswordChecks checks;
  CHECK(is_right(checks, kUsers, {"anna", "secret"}));
  CHECK_FALSE(is_right(checks, kUsers, {"anna", "Secret"}));
  CHECK_FALSE(is_right(checks, kUsers, {"anna", ""}));
  CHECK_FALSE(is_right(checks, kUsers, {"Anna", "secret"}));
  CHECK_FALSE(is_right(checks, kUsers, {"", "secret"}));
}

TEST_CASE("a right password is remembered for its user and hash alone, a wrong one is not", "[web]") {
  PasswordChecks checks;
  REQUIRE(is_right(checks, kUsers, {"anna", "secret"}));
  CHECK(ask(checks, kUsers, {"anna", "secret"}) == Answer::right);
  CHECK(ask(checks, kUsers, {"bert", "secret"}) == Answer::later);
  CHECK(ask(checks, {{"bert", kQuick}}, {"anna", "secret"}) == Answer::later);
  const Users changed = {{"anna", "$2b" + kQuick.substr(3)}};
  CHECK(ask(checks, changed, {"anna", "secret"}) == Answer::later);
  REQUIRE_FALSE(is_right(checks, kUsers, {"anna", "wrong"}));
  CHECK(ask(checks, kUsers, {"anna", "wrong"}) == Answer::later);
}

TEST_CASE("an unknown user is checked against the slowest hash, and never let in", "[web]") {
  PasswordChecks checks;
  const Users users = {{"anna", kQuick}, {"bert", kSlow}, {"carl", kQuick}};
  // the password is that of the slow hash
  for (int i = 0; i < 2; ++i) CHECK_FALSE(is_right(checks, users, {"dora", "secret"}));
  CHECK(is_right(checks, users, {"bert", "secret"}));
}

TEST_CASE("a wrong password for a quick hash takes as long as one for an unknown user", "[web]") {
  PasswordChecks checks;
  const Users users = {{"anna", kQuick}, {"bert", kSlow}};
  const auto cpu_time_of = [&](const std::string& user) {
    const auto before = std::clock();
    CHECK_FALSE(is_right(checks, users, {user, "wrong"}));
    return std::clock() - before;
  };
  const auto known = cpu_time_of("anna"), unknown = cpu_time_of("zz"), slow = cpu_time_of("bert");
  CHECK((known > unknown / 2 && known < unknown * 2));
  CHECK((slow > unknown / 2 && slow < unknown * 2));
}

TEST_CASE("who waits for the same password is told together", "[web]") {
  PasswordChecks checks;
  const Users users = {{"anna", kSlow}};
  std::vector<std::promise<bool>> verdicts(50);
  for (auto& verdict : verdicts) {
    const auto done = [&](auto right) { verdict.set_value(right.value()); };
    if (ask(checks, users, {"anna", "secret"}, "peer", done) == Answer::right) verdict.set_value(true);
  }
  for (auto& verdict : verdicts) CHECK(verdict.get_future().get());
}

TEST_CASE("only so many passwords wait, and of one address fewer", "[web]") {
  PasswordChecks checks;
  const Users users = {{"anna", kSlow}};
  const auto waiting_of = [&](const std::string& peer, std::size_t asked) {
    std::size_t waiting = 0;
    for (std::size_t i = 0; i < asked; ++i)
      if (ask(checks, users, {"anna", peer + std::to_string(i)}, peer) == Answer::later) ++waiting;
    return waiting;
  };
  // one or two may be through already
  const auto first = waiting_of("a", 20);
  CHECK((first >= std::size_t{PasswordChecks::kMostWaitingOfAPeer} && first < 10));
  std::size_t all = first;
  for (char peer = 'b'; peer < 'k'; ++peer) all += waiting_of(std::string(1, peer), 4);
  CHECK((all >= PasswordChecks::kMostWaiting && all < 30));
  checks.stop();
}

TEST_CASE("only so many right passwords are remembered, the latest ones", "[web]") {
  PasswordChecks checks;
  Users users;
  for (std::size_t i = 0; i <= PasswordChecks::kMostRemembered; ++i) users["u" + std::to_string(i)] = kQuick;
  for (std::size_t i = 0; i <= PasswordChecks::kMostRemembered; ++i)
    REQUIRE(is_right(checks, users, {"u" + std::to_string(i), "secret"}));
  CHECK(ask(checks, users, {"u1", "secret"}) == Answer::right);
  CHECK(ask(checks, users, {"u0", "secret"}) == Answer::later);
}

TEST_CASE("at the end everybody who waits is told that nobody knows, and nobody waits any more", "[web]") {
  PasswordChecks checks;
  const Users users = {{"anna", kSlow}};
  std::atomic<int> told = 0;
  for (const auto* password : {"a", "b", "c"})
    CHECK(ask(checks, users, {"anna", password}, "peer", [&](auto right) { told += right ? 100 : 1; }) ==
          Answer::later);
  checks.stop();
  CHECK(told == 3);
  CHECK(ask(checks, users, {"anna", "secret"}) == Answer::busy);
}

TEST_CASE("the end does not wait for a check that is under way", "[web]") {
  auto costly = kSlow;
  costly.replace(4, 2, "15");  // a second and more
  std::promise<std::optional<bool>> told;
  {
    PasswordChecks checks;
    const auto done = [&](std::optional<bool> right) { told.set_value(right); };
    REQUIRE(ask(checks, {{"anna", costly}}, {"anna", "secret"}, "peer", done) == Answer::later);
  }
  CHECK(told.get_future().get() == std::nullopt);
}
