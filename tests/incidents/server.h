// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/incidents/processes.h"

namespace tcpdiag::incidents {

/// A server that accepts, answers every segment with one byte, and closes when its client has closed.
struct ServerPlan {
  std::string comm = "gunicorn";
  std::string netns;  ///< empty: home
  std::string address = "0.0.0.0";
  std::uint16_t port = 5000;
  int backlog = 128;
  std::chrono::microseconds per_accept{0};  ///< time it needs for each connection before it accepts the next
  bool stuck = false;                       ///< accepts nothing until it is told to
  unsigned max_fds = 0;                     ///< RLIMIT_NOFILE; 0: as inherited
  bool reuse_port = false;
};

class Server {
 public:
  /// Returns when it listens.
  explicit Server(ServerPlan plan);

  void get_unstuck() { state_->stuck = false; }
  /// Returns when SYNs are dropped that come from now on; handshakes that have begun go on.
  void drop_syns();
  void raise_fd_limit(unsigned max_fds) const { limit_fds(pid(), max_fds); }
  void end() { process_.end(); }

  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] std::uint32_t accepted() const { return state_->accepted; }
  /// Times that accept() failed for want of a descriptor.
  [[nodiscard]] std::uint32_t fds_exhausted() const { return state_->fds_exhausted; }
  /// Descriptors that it holds now.
  [[nodiscard]] std::uint64_t open_fds() const { return incidents::open_fds(pid()); }

 private:
  struct State {
    std::atomic<bool> listening = false, stuck = false, to_drop_syns = false, drops_syns = false;
    std::atomic<std::uint32_t> accepted = 0, fds_exhausted = 0;
  };
  static void serve(const ServerPlan& plan, State& state);

  Shared<State> state_;
  Process process_;
};

}  // namespace tcpdiag::incidents
