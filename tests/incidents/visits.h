// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/incidents/actor.h"

namespace tcpdiag::incidents {

/// A client that connects and closes, one connection after the other.
struct VisitPlan {
  std::string comm = "client";
  std::string netns;  ///< empty: home
  struct Target {
    std::string address;
    std::uint16_t port;
  };
  std::vector<Target> to{{"127.0.0.1", 5000}};  ///< in turn
  std::string from;    ///< address that it binds, with any port, before it connects; empty: none
  unsigned count = 0;  ///< after that many it only waits; 0: it goes on
  std::chrono::microseconds apart{1000};
  bool speak = false;              ///< send a byte once connected
  bool server_ends_first = false;  ///< wait for the server's FIN or reset before closing
};

class Visits {
 public:
  explicit Visits(const VisitPlan& plan);

  void end() { actor_.end(); }

  /// Visits that were made and ended as they should.
  [[nodiscard]] std::uint32_t made() const { return actor_->made; }
  /// Times that connect() found no local port: EADDRNOTAVAIL, errno 99.
  [[nodiscard]] std::uint32_t no_port() const { return actor_->no_port; }
  /// Times that bind() found none: EADDRINUSE, errno 98.
  [[nodiscard]] std::uint32_t no_port_to_bind() const { return actor_->no_port_to_bind; }
  /// Visits that the server ended with a reset.
  [[nodiscard]] std::uint32_t reset() const { return actor_->reset; }
  /// Those that failed otherwise.
  [[nodiscard]] std::uint32_t failed() const { return actor_->failed; }

 private:
  struct Tally {
    std::atomic<std::uint32_t> made = 0, no_port = 0, no_port_to_bind = 0, reset = 0, failed = 0;
  };
  static void visit(const VisitPlan& plan, const VisitPlan::Target& target, Tally& tally);
  static void go_on(const VisitPlan& plan, Tally& tally);

  Actor<Tally> actor_;
};

}  // namespace tcpdiag::incidents
