// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "exporters/basic_auth.h"

namespace tcpdiag {

/// Bcrypt hash by user name.
using Users = std::map<std::string, std::string, std::less<>>;

/// Checks passwords on a thread of its own, one after the other, because bcrypt takes long on purpose:
/// whoever sends wrong passwords holds up other newcomers for kMostWaitingOfAPeer checks, and nobody who was
/// let in before.
/// Safe to use from several threads.
class PasswordChecks {
  /// Different passwords.
 public:
  static constexpr std::size_t kMostWaiting = 16;
  static constexpr std::ptrdiff_t kMostWaitingOfAPeer = 4;  ///< of them, from one address
  static constexpr std::size_t kMostRemembered = 128;       ///< right passwords

  enum class Answer {
    right,  ///< as it was before
    later,  ///< `done` will say
    busy,   ///< too many are waiting
  };

  /// Whether the password is right; empty: it was not checked.
  using Done = std::function<void(std::optional<bool> right)>;

  PasswordChecks();
  ~PasswordChecks() { stop(); }
  PasswordChecks(const PasswordChecks&) = delete;
  PasswordChecks& operator=(const PasswordChecks&) = delete;

  /// `users` must not be empty. Everything but a right password takes as long as it does with the
  /// slowest hash among them, so that nobody can tell by it who is a user.
  /// With Answer::later, `waits` is called before check() returns, and `done` after that, on the other
  /// thread; both while nothing else is answered, so they must be short and not call this.
  Answer check(const Users& users, const Credentials& credentials, const std::string& peer,
               const std::function<void()>& waits, Done done);

  /// Tells all who wait that nobody will know, and answers Answer::busy from then on. It does not wait for
  /// the check that is under way.
  void stop();

 private:
  class Queue;

  std::shared_ptr<Queue> queue_;  // the thread's as well: it ends later than this when a check is under way
};

}  // namespace tcpdiag
