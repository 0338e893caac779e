// SPDX-License-Identifier: Apache-2.0
#include "exporters/password_checks.h"

#include <gnutls/crypto.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "exporters/bcrypt.h"

namespace tcpdiag {
namespace {

/// The hash that takes longest to check.
const std::string& slowest(const Users& users) {
  const auto by_cost = [](const auto& user) { return bcrypt_cost(user.second); };
  return std::ranges::max_element(users, {}, by_cost)->second;
}

}  // namespace

/// What waits, and what is remembered. Safe to use from several threads.
class PasswordChecks::Queue {
 public:
  Answer check(const Users& users, const Credentials& credentials, const std::string& peer,
               const std::function<void()>& waits, Done done);
  void stop();
  /// Checks one after the other until it is stopped.
  void run();

 private:
  using Digest = std::array<std::uint8_t, 32>;  // SHA-256

  struct Check {
    Digest digest{};
    std::string hash, password, peer;
    bool known_user = false;
    unsigned as_long_as = 0;  // see bcrypt_matches()
    std::vector<Done> done;
  };

  static Digest digest_of(bool known_user, const std::string& user, const std::string& hash,
                          const std::string& password);
  /// false: too many are waiting.
  bool enqueue(Check check);
  void remember(const Digest& digest);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Check> waiting_;  // the first of them is being checked
  std::set<Digest> right_;
  std::deque<Digest> right_by_age_;
  bool stop_ = false;
};

PasswordChecks::Queue::Digest PasswordChecks::Queue::digest_of(bool known_user, const std::string& user,
                                                               const std::string& hash,
                                                               const std::string& password) {
  // the length of a hash is fixed, so that no two of these make the same text
  const auto text = std::string(known_user ? "known" : "other") + hash + std::to_string(user.size()) + ":" +
                    user + password;
  Digest digest{};
  gnutls_hash_fast(GNUTLS_DIG_SHA256, text.data(), text.size(), digest.data());
  return digest;
}

PasswordChecks::Answer PasswordChecks::Queue::check(const Users& users, const Credentials& credentials,
                                                    const std::string& peer,
                                                    const std::function<void()>& waits, Done done) {
  const auto user = users.find(credentials.user);
  const bool known_user = user != users.end();
  const auto& slowest_hash = slowest(users);
  const auto& hash = known_user ? user->second : slowest_hash;
  const auto digest = digest_of(known_user, credentials.user, hash, credentials.password);

  const std::scoped_lock lock(mutex_);
  if (right_.contains(digest)) return Answer::right;
  if (stop_) return Answer::busy;
  const auto same = std::ranges::find(waiting_, digest, &Check::digest);
  if (same != waiting_.end()) {
    same->done.push_back(std::move(done));
  } else if (!enqueue({.digest = digest,
                       .hash = hash,
                       .password = credentials.password,
                       .peer = peer,
                       .known_user = known_user,
                       .as_long_as = bcrypt_cost(slowest_hash),
                       .done = {std::move(done)}})) {
    return Answer::busy;
  }
  waits();
  return Answer::later;
}

bool PasswordChecks::Queue::enqueue(Check check) {
  const auto of_peer = std::ranges::count(waiting_, check.peer, &Check::peer);
  if (waiting_.size() >= kMostWaiting || of_peer >= kMostWaitingOfAPeer) return false;
  waiting_.push_back(std::move(check));
  changed_.notify_one();
  return true;
}

void PasswordChecks::Queue::stop() {
  const std::scoped_lock lock(mutex_);
  stop_ = true;
  for (auto& check : waiting_) {
    for (const auto& done : check.done) done(std::nullopt);
    check.done.clear();
  }
  changed_.notify_one();
}

void PasswordChecks::Queue::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    const auto hash = waiting_.front().hash, password = waiting_.front().password;
    const auto as_long_as = waiting_.front().as_long_as;
    lock.unlock();
    const bool matches = bcrypt_matches(hash, password, as_long_as);
    lock.lock();
    if (stop_) return;  // nobody waits any more
    auto check = std::move(waiting_.front());
    waiting_.pop_front();
    const bool right = matches && check.known_user;
    if (right) remember(check.digest);
    for (const auto& done : check.done) done(right);
  }
}

void PasswordChecks::Queue::remember(const Digest& digest) {
  if (!right_.insert(digest).second) return;
  right_by_age_.push_back(digest);
  if (right_by_age_.size() <= kMostRemembered) return;
  right_.erase(right_by_age_.front());
  right_by_age_.pop_front();
}

PasswordChecks::PasswordChecks() : queue_(std::make_shared<Queue>()) {
  // Detached: bcrypt cannot be interrupted, and its seconds are more than a service may take to stop.
  std::thread thread([queue = queue_] {
    ::pthread_setname_np(::pthread_self(), "passwords");
    queue->run();
  });
  thread.detach();
}

PasswordChecks::Answer PasswordChecks::check(const Users& users, const Credentials& credentials,
                                             const std::string& peer, const std::function<void()>& waits,
                                             Done done) {
  return queue_->check(users, credentials, peer, waits, std::move(done));
}

void PasswordChecks::stop() { queue_->stop(); }

}  // namespace tcpdiag
