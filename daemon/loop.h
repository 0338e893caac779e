// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "core/result.h"

namespace tcpdiag {

/// The rhythm of the daemon, and of the fastest collector.
inline constexpr std::chrono::milliseconds kTick{100};

/// What happens at the events of the loop, all on its thread.
struct LoopEvents {
  /// Every kTick; `missed` ticks before it could not be kept.
  std::function<void(std::uint64_t missed)> tick;
  std::function<void()> reload;  ///< SIGHUP
  int finished_fd = -1;          ///< readable when the worker is
  std::function<void()> finished;
};

/// Blocks the signals that the loop handles. Must come before any thread is started.
void block_loop_signals();

/// Runs until SIGTERM or SIGINT. Errors: the kernel refused a timer or a descriptor.
Result<void> run_loop(const LoopEvents& events);

}  // namespace tcpdiag
