// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/file_descriptor.h"
#include "tests/incidents/actor.h"

namespace tcpdiag::incidents {

/// A server that does one thing with each connection as soon as it has accepted it.
struct AcceptorPlan {
  std::string comm = "gunicorn";
  std::string netns;  ///< empty: home
  std::string address = "0.0.0.0";
  std::uint16_t port = 5000;
  int backlog = 4096;
  unsigned max_fds = 0;  ///< RLIMIT_NOFILE; 0: as inherited
  /// Adds what it holds from the beginning; empty: nothing.
  std::function<void(std::vector<FileDescriptor>& kept)> before;
  /// Called in the server's process. True: the connection is kept and never looked at again. Empty: all are.
  std::function<bool(int connection)> treat;
};

class Acceptor {
 public:
  /// Returns when it listens.
  explicit Acceptor(const AcceptorPlan& plan);

  /// It closes what it has kept, and keeps nothing any more.
  void let_go() const { actor_->letting_go = true; }
  void end() { actor_.end(); }

  [[nodiscard]] pid_t pid() const { return actor_.pid(); }
  [[nodiscard]] std::uint32_t accepted() const { return actor_->accepted; }

 private:
  struct State {
    std::atomic<bool> listening = false, letting_go = false;
    std::atomic<std::uint32_t> accepted = 0;
  };
  static void serve(const AcceptorPlan& plan, State& state);

  Actor<State> actor_;
};

/// Waits for one request, answers it with one byte, and closes first.
bool answer_and_close(int connection);

}  // namespace tcpdiag::incidents
