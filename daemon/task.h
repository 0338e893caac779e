// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "core/report.h"
#include "daemon/clock.h"

namespace tcpdiag {

/// A collector at work for one namespace or the machine.
struct Task {
  const CollectorSpec* spec = nullptr;
  Collector collector;
  Source* source = nullptr;
  bool on = true;
  TimePoint due = TimePoint::min();
  std::chrono::duration<double> mean_cpu{};  ///< of a run, smoothed
  CollectorRun latest;
};

/// What one run brought.
struct TaskResult {
  Task* task = nullptr;
  Collected collected;
  std::chrono::nanoseconds duration{};
  std::chrono::nanoseconds cpu{};
  TimePoint finished_at;
};

/// Runs the task and stores its share in `snapshot`.
TaskResult run_task(Task& task, Snapshot& snapshot, TimePoint now, const Clocks& clocks);

/// Tasks to be run one after the other on another thread, each seeing what those before it found. It touches
/// nothing but these tasks' collectors and sources.
struct Batch {
  std::vector<Task*> tasks;
  Snapshot snapshot;
  TimePoint now;
  std::vector<TaskResult> results;

  void run(const Clocks& clocks);
};

}  // namespace tcpdiag
