// SPDX-License-Identifier: Apache-2.0
#include "daemon/task.h"

namespace tcpdiag {

TaskResult run_task(Task& task, Snapshot& snapshot, TimePoint now, const Clocks& clocks) {
  const auto started_at = clocks.monotonic();
  const auto cpu_before = clocks.thread_cpu();
  TaskResult result{.task = &task, .collected = task.collector.run({*task.source, now, snapshot})};
  result.cpu = clocks.thread_cpu() - cpu_before;
  result.finished_at = clocks.monotonic();
  result.duration = result.finished_at - started_at;
  result.collected.store(snapshot);
  return result;
}

void Batch::run(const Clocks& clocks) {
  for (auto* task : tasks) results.push_back(run_task(*task, snapshot, now, clocks));
}

}  // namespace tcpdiag
