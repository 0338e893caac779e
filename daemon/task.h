// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  NetnsId netns = NetnsId::host;
  std::shared_ptr<Source> source;  ///< shared by the tasks of a namespace and a thread
  bool on = true;
  std::optional<TimePoint> begun;            ///< when the latest run was due; empty: it has not run
  std::size_t place = 0;                     ///< in the cycle's plan
  std::uint64_t runs = 0;                    ///< so far
  Activity activity = Activity::unknown;     ///< in its namespace
  int factor = 1;                            ///< of the period, by the activity
  double stretch = 1;                        ///< of the period, by the budget
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

/// Runs the task and stores its share in `snapshot`. `may_rest`: as Reading::may_rest. An exception (no
/// memory) is a failed run.
TaskResult run_task(Task& task, Snapshot& snapshot, TimePoint now, const Clocks& clocks,
                    bool may_rest = false);

/// Tasks to be run one after the other on another thread, each seeing what those before it found. It touches
/// nothing but these tasks' collectors and sources. Once `stopping`, the tasks that are left are not run.
struct Batch {
  std::vector<Task*> tasks;
  Snapshot snapshot;
  TimePoint now;
  bool may_rest = false;
  std::vector<TaskResult> results{};

  void run(const Clocks& clocks, const std::function<bool()>& stopping);
};

}  // namespace tcpdiag
