// SPDX-License-Identifier: Apache-2.0
#include "daemon/cycle.h"

#include <algorithm>

#include "daemon/budget.h"

namespace tcpdiag {
namespace {

// A tick that comes this much before a collector is due is meant for it: ticks waver, the rhythm shall not.
constexpr auto kEarly = std::chrono::milliseconds(20);

}  // namespace

Cycle::Cycle(std::span<const CollectorSpec> catalog, const std::vector<std::string>& namespaces,
             const OpenSource& open, CycleOptions options, Clocks clocks)
    : clocks_(std::move(clocks)) {
  std::vector<std::unique_ptr<Source>> for_worker;
  for (const auto& name : namespaces) {
    snapshot_.namespaces.push_back({.name = name});
    sources_.push_back(open(name));
    for_worker.push_back(open(name));
  }
  std::move(for_worker.begin(), for_worker.end(), std::back_inserter(sources_));

  for (const auto& spec : catalog) {
    for (std::size_t netns = 0; netns < (spec.per_netns ? namespaces.size() : 1); ++netns) {
      const auto source = netns + (spec.thread == Thread::worker ? namespaces.size() : 0);
      tasks_.push_back({.spec = &spec,
                        .collector = spec.make(netns),
                        .source = sources_[source].get(),
                        .latest = {.collector = std::string(spec.name),
                                   .netns = spec.per_netns ? namespaces[netns] : "",
                                   .period = spec.period}});
    }
  }
  configure(std::move(options));
}

void Cycle::configure(CycleOptions options) {
  options_ = std::move(options);
  for (auto& task : tasks_) {
    task.on = !options_.collectors_off.contains(task.spec->name);
    if (!task.on) task.collector.forget(snapshot_);
  }
  adapt_periods();
}

std::vector<Task*> Cycle::take_due(Thread thread, TimePoint now) {
  std::vector<Task*> due;
  for (auto& task : tasks_) {
    if (!task.on || task.spec->thread != thread || task.due > now + kEarly) continue;
    task.due += task.latest.period;
    if (task.due <= now) task.due = now + task.latest.period;  // after a standstill, without catching up
    due.push_back(&task);
  }
  return due;
}

void Cycle::run_loop_collectors(TimePoint now) {
  for (auto* task : take_due(Thread::loop, now)) keep(run_task(*task, snapshot_, now, clocks_));
  snapshot_.at = now;
  adapt_periods();
}

std::unique_ptr<Batch> Cycle::take_batch(TimePoint now) {
  if (batch_out_) return nullptr;
  auto due = take_due(Thread::worker, now);
  if (due.empty()) return nullptr;
  batch_out_ = true;
  return std::make_unique<Batch>(Batch{.tasks = std::move(due), .snapshot = snapshot_, .now = now});
}

void Cycle::finish(std::unique_ptr<Batch> batch) {
  batch_out_ = false;
  for (const auto& result : batch->results) {
    if (!result.task->on) continue;  // switched off while it ran
    result.collected.store(snapshot_);
    keep(result);
  }
  adapt_periods();
}

void Cycle::run_all(TimePoint now) {
  run_loop_collectors(now);
  if (auto batch = take_batch(now)) {
    batch->run(clocks_);
    finish(std::move(batch));
  }
}

void Cycle::keep(const TaskResult& result) {
  auto& task = *result.task;
  task.latest.outcome = result.collected.outcome;
  task.latest.duration = result.duration;
  task.latest.cpu = result.cpu;
  task.latest.finished_at = result.finished_at;
  if (result.collected.outcome) task.latest.succeeded_at = result.finished_at;
  // One slow run shall not stretch the period for long, nor one fast run undo it.
  constexpr double kWeight = 0.2;
  const bool first = task.mean_cpu.count() == 0;
  task.mean_cpu = first ? result.cpu : task.mean_cpu * (1 - kWeight) + kWeight * result.cpu;
}

void Cycle::adapt_periods() {
  if (!options_.cpu_budget) return;
  Load load;
  for (const auto& task : tasks_) {
    if (!task.on) continue;
    auto& share = task.spec->thread == Thread::loop ? load.loop : load.worker;
    share += task.mean_cpu / task.spec->period;
  }
  const auto stretch = stretch_to_budget(load, *options_.cpu_budget);
  for (auto& task : tasks_) {
    const double factor = task.spec->thread == Thread::loop ? stretch.loop : stretch.worker;
    task.latest.period = std::chrono::round<std::chrono::milliseconds>(task.spec->period * factor);
  }
}

Report Cycle::report(TimePoint now) const {
  Report report{.at = now, .wall_at = clocks_.wall(), .snapshot = snapshot_, .ticks_late = ticks_late_};
  for (const auto& task : tasks_)
    if (task.on) report.runs.push_back(task.latest);
  return report;
}

bool Cycle::complete() const {
  return std::all_of(tasks_.begin(), tasks_.end(),
                     [](const Task& task) { return !task.on || task.latest.finished_at != TimePoint(); });
}

}  // namespace tcpdiag
