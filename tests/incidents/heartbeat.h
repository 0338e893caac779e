// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>

#include "tests/incidents/processes.h"

namespace tcpdiag::incidents {

/// Tells whether the machine stands still: on each CPU a thread asks to run every 100 ms. A virtual machine
/// that is paused or starved makes every time measured on it wrong, and the daemon has no part in it.
class Heartbeat {
 public:
  Heartbeat();

  /// For how long one of the CPUs has not let its thread run.
  [[nodiscard]] std::chrono::milliseconds standing_still() const;

  /// Standing still for longer makes a failure worth another play.
  static constexpr std::chrono::milliseconds kTolerable{1000};

 private:
  static constexpr std::size_t kMaxCpus = 256;
  struct State {
    std::array<std::atomic<TimePoint::rep>, kMaxCpus> latest_beat{};  // 0: no such CPU
  };
  static void beat(State& state, std::size_t cpu);
  static void beat_everywhere(State& state);

  Shared<State> state_;
  Process process_;
};

}  // namespace tcpdiag::incidents
