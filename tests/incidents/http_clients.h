// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/incidents/actor.h"

namespace tcpdiag::incidents {

/// Clients of a web server, in one process: each asks in turn and waits for the whole answer.
struct HttpPlan {
  std::string netns;  ///< empty: home
  std::string address = "127.0.0.1";
  std::uint16_t port = 5000;
  unsigned count = 100;
  std::chrono::milliseconds each_asks_every{500};
  bool keep_alive = true;  ///< false: a new connection for each request
  std::string path = "/";
};

class HttpClients {
 public:
  explicit HttpClients(const HttpPlan& plan);

  void end() { actor_.end(); }

  [[nodiscard]] std::uint32_t answered() const { return actor_->answered; }
  /// Kept connections that the server had closed; the request was made again on a new one.
  [[nodiscard]] std::uint32_t found_closed() const { return actor_->found_closed; }
  /// Requests that were not answered on a new connection.
  [[nodiscard]] std::uint32_t failed() const { return actor_->failed; }

 private:
  struct Tally {
    std::atomic<std::uint32_t> answered = 0, found_closed = 0, failed = 0;
  };
  static void ask_on(const HttpPlan& plan, Tally& tally);

  Actor<Tally> actor_;
};

/// One request on a connection that is open; false when it is not answered as a whole within five seconds.
bool ask(int connection, const std::string& path, bool keep_alive);

}  // namespace tcpdiag::incidents
