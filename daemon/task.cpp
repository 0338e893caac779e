// SPDX-License-Identifier: Apache-2.0
#include "daemon/task.h"

#include <exception>

namespace tcpdiag {
namespace {

Collected run_collector(const Task& task, const Reading& reading) {
  try {
    return task.collector.run(reading);
  } catch (const std::exception& thrown) {
    const Error error{Errc::failed, std::string(task.spec->name) + ": " + thrown.what()};
    const auto store = [fail = task.collector.fail, error, at = reading.now](Snapshot& snapshot) {
      fail(snapshot, error, at);
    };
    return {store, tl::unexpected<Error>(error)};
  }
}

}  // namespace

TaskResult run_task(Task& task, Snapshot& snapshot, TimePoint now, const Clocks& clocks, bool may_rest) {
  const auto started_at = clocks.monotonic();
  const auto cpu_before = clocks.thread_cpu();
  TaskResult result{.task = &task,
                    .collected = run_collector(task, {*task.source, now, snapshot, task.netns, may_rest})};
  result.cpu = clocks.thread_cpu() - cpu_before;
  result.finished_at = clocks.monotonic();
  result.duration = result.finished_at - started_at;
  result.collected.store(snapshot);
  return result;
}

void Batch::run(const Clocks& clocks, const std::function<bool()>& stopping) {
  for (auto* task : tasks) {
    if (stopping()) return;
    results.push_back(run_task(*task, snapshot, now, clocks, may_rest));
  }
}

}  // namespace tcpdiag
