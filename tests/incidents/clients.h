// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/incidents/processes.h"

namespace tcpdiag::incidents {

/// Clients that connect and stay.
struct ClientPlan {
  std::string comm = "client";
  std::string netns;  ///< empty: home
  std::string address = "127.0.0.1";
  std::uint16_t port = 5000;
  unsigned count = 1;
  std::chrono::microseconds apart{0};  ///< time between two of them; 0: all at once
  bool speak = false;                  ///< send a byte once connected
};

/// One process that holds them all.
class Clients {
 public:
  explicit Clients(ClientPlan plan);

  /// They go away, each with a FIN.
  void end() { process_.end(); }

  [[nodiscard]] std::uint32_t connected() const { return tally_->connected; }
  /// Of those connected, how many were reset afterwards.
  [[nodiscard]] std::uint32_t reset() const { return tally_->reset; }
  /// How many connect() failed.
  [[nodiscard]] std::uint32_t failed() const { return tally_->failed; }

 private:
  struct Tally {
    std::atomic<std::uint32_t> connected = 0, reset = 0, failed = 0;
  };
  static void connect_all(const ClientPlan& plan, Tally& tally);

  Shared<Tally> tally_;
  Process process_;
};

}  // namespace tcpdiag::incidents
