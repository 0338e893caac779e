// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/incidents/actor.h"

namespace tcpdiag::incidents {

/// A server whose parent holds the listener and whose workers accept from it. It answers every request with
/// one byte and keeps connections until the client closes. Again and again workers are replaced: the old one
/// accepts no more, closes what is idle after its next answer, and ends.
struct PreforkPlan {
  std::string comm = "gunicorn";
  std::uint16_t port = 5000;
  unsigned workers = 4;
  std::chrono::milliseconds every{2000};  ///< between two replacements
  bool all_at_once = false;               ///< a reload replaces all workers, a rolling restart one
};

class Prefork {
 public:
  /// Returns when it listens.
  explicit Prefork(const PreforkPlan& plan);

  [[nodiscard]] std::uint32_t replaced() const { return actor_->replaced; }
  [[nodiscard]] std::uint32_t answered() const { return actor_->answered; }

 private:
  struct State {
    std::atomic<bool> listening = false;
    std::atomic<std::uint32_t> replaced = 0, answered = 0;
  };
  static void run(const PreforkPlan& plan, State& state);
  static void work(int listener, State& state);

  Actor<State> actor_;
};

/// Clients in one process that keep their connections, ask on each in turn, and connect again when they find
/// one closed.
class KeepAliveClients {
 public:
  KeepAliveClients(std::uint16_t port, unsigned count, std::chrono::milliseconds each_asks_every);

  [[nodiscard]] std::uint32_t answered() const { return actor_->answered; }
  /// Requests that were not answered on a new connection either.
  [[nodiscard]] std::uint32_t failed() const { return actor_->failed; }

 private:
  struct Tally {
    std::atomic<std::uint32_t> answered = 0, failed = 0;
  };
  Actor<Tally> actor_;
};

}  // namespace tcpdiag::incidents
