// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/snapshot.h"
#include "exporters/basic_auth.h"

namespace tcpdiag {

/// Bcrypt hash by user name.
using Users = std::map<std::string, std::string, std::less<>>;

/// Checks passwords on a thread of its own, one after the other, because bcrypt takes long on purpose:
/// whoever sends wrong passwords holds up other newcomers for one check, and nobody who was let in before.
/// Safe to use from several threads.
class PasswordChecks {
 public:
  static constexpr std::size_t kMostWaiting = 16;         ///< different passwords
  static constexpr std::size_t kMostWaitingOfAPeer = 4;   ///< of them, from one address
  static constexpr std::chrono::seconds kLongestWait{5};  ///< for those that go first, with one's own to come
  static constexpr std::size_t kMostRemembered = 128;     ///< right passwords

  enum class Answer {
    right,  ///< as it was before
    later,  ///< `done` will say
    busy,   ///< too many are waiting
  };

  /// `clock`: to measure how long a check takes here; empty: that is guessed.
  explicit PasswordChecks(std::function<TimePoint()> clock = {});
  ~PasswordChecks();
  PasswordChecks(const PasswordChecks&) = delete;
  PasswordChecks& operator=(const PasswordChecks&) = delete;

  /// `users` must not be empty. Everything but a right password takes as long as it does with the
  /// slowest hash among them, so that nobody can tell by it who is a user.
  /// With Answer::later, `waits` is called before check() returns, and `done` after that, on the other
  /// thread; both while nothing else is answered, so they must be short and not call this.
  Answer check(const Users& users, const Credentials& credentials, const std::string& peer,
               const std::function<void()>& waits, std::function<void(bool right)> done);

  /// Tells all who wait that their password is wrong, and answers Answer::busy from then on.
  void stop();

 private:
  using Digest = std::array<std::uint8_t, 32>;  // SHA-256

  struct Check {
    Digest digest{};
    std::string hash, password, peer;
    bool known_user = false;
    unsigned as_long_as = 0;  // see bcrypt_matches()
    std::uint64_t turn = 0;   // first those that are the first of their peer, then the second ones ...
    std::vector<std::function<void(bool)>> done;
  };

  static Digest digest_of(bool known_user, const std::string& user, const std::string& hash,
                          const std::string& password);
  /// Puts it behind those of the same turn. false: too many are waiting, or it would wait for too long.
  bool enqueue(Check check);
  void run();
  void remember(const Digest& digest);

  const std::function<TimePoint()> clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Check> waiting_;  // in the order of their turns; the first of them is being checked
  std::set<Digest> right_;
  std::deque<Digest> right_by_age_;
  std::chrono::nanoseconds round_;  // bcrypt does two to the power of the cost of them
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace tcpdiag
