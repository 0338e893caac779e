// SPDX-License-Identifier: Apache-2.0
// The way through the daemon: kernel -> collectors -> snapshot -> diagnosis -> report. No threads, no
// signals, no I/O of its own: the loop, the command line and the tests run the same cycle.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "core/report.h"
#include "daemon/clock.h"
#include "daemon/incident_book.h"
#include "daemon/movement.h"
#include "daemon/task.h"

namespace tcpdiag {

/// How often what is known is judged and published.
inline constexpr std::chrono::seconds kDiagnosisPeriod{1};

/// What a cycle shall do; can be changed while it runs.
struct CycleOptions {
  std::set<std::string, std::less<>> collectors_off;
  std::optional<double> cpu_budget;  ///< share of one core; empty: periods are never stretched
  /// Some collectors run more often while the diagnosis waits for them (Hurry), and those that waver do. Not
  /// where times have to be those of a recording.
  bool hurry = true;
};

/// Opens a source for one thread: kHostNetns, or another namespace's name.
using OpenSource = std::function<std::unique_ptr<Source>(const std::string& netns, Thread thread)>;

/// Decides which collectors are due, runs them and keeps what they say.
class Cycle {
 public:
  /// `namespaces` begins with kHostNetns. Every thread gets sources of its own. `hold`: how long findings and
  /// their absence have to last.
  Cycle(std::span<const CollectorSpec> catalog, const std::vector<std::string>& namespaces, OpenSource open,
        CycleOptions options, Clocks clocks, Hold hold = {});

  /// Begins to watch a namespace; what it needs is read at the next tick. `generation`: of one that was
  /// found.
  NetnsId add(const std::string& netns, std::uint64_t generation = 0);
  /// Forgets a namespace that is not NetnsId::host. Its incidents close as those of what is no longer found.
  void remove(NetnsId netns);

  /// Takes effect with the next tick. What a collector said that is now switched off is forgotten.
  void configure(CycleOptions options);

  /// Runs the loop's collectors that are due. `to_diagnose`: all that run as often as there is a diagnosis,
  /// so that what it compares was read in one go, however late the last one was.
  void run_loop_collectors(TimePoint now, bool to_diagnose = false);
  /// The worker's collectors that are due, to be run on its thread; nullptr when none is, or a batch is still
  /// out.
  std::unique_ptr<Batch> take_batch(TimePoint now);
  /// Takes in what a batch found. Whether a finding may rest on it that shall not have to wait: connections
  /// are in trouble, or something was read for the first time. What is read of calm namespaces is mostly
  /// known.
  bool finish(std::unique_ptr<Batch> batch);
  /// All collectors that are due, on the calling thread.
  void run_all(TimePoint now, bool to_diagnose = false);
  /// Ticks that could not be kept.
  void count_late_ticks(std::uint64_t ticks) { ticks_late_ += ticks; }

  /// Lets the diagnosis judge what is known now.
  void diagnose(TimePoint now);

  /// Whether the latest diagnosis saw the beginning of something and needs more time to say what it is.
  [[nodiscard]] bool is_undecided() const { return book_.is_undecided(); }

  /// What is known now.
  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
  /// The same, with what is made of it.
  [[nodiscard]] Report report(TimePoint now) const;
  /// Whether every collector that is switched on has run, in found namespaces or not.
  [[nodiscard]] bool complete() const;

 private:
  void drop_removed();
  /// When a task is due: with hundreds of namespaces there are thousands, and at most ticks none of them is.
  struct Planned {
    TimePoint due;  ///< before it has run for the first time: at once
    Task* task = nullptr;
    Thread thread = Thread::loop;
    bool own = true;  ///< of the machine or the daemon's own namespace
    bool with_diagnosis = true;
  };
  bool take_if_due(const Planned& planned, TimePoint now, bool to_diagnose = false);
  /// What was read of a namespace may change how often it is looked at.
  void follow_movement(NetnsId netns, TimePoint now);
  [[nodiscard]] std::chrono::nanoseconds time_to_next(const Task& task) const;
  void plan(const Task& task);
  void plan_all();
  /// A found namespace that cannot be read any more is gone; the next list says so.
  [[nodiscard]] bool is_on_its_way_out(const Task& task) const;
  void keep(const TaskResult& result);
  void forget(Task& task);
  void keep_to_budget();

  std::span<const CollectorSpec> catalog_;
  OpenSource open_;
  CycleOptions options_;
  Clocks clocks_;
  std::list<Task> tasks_;      // in the catalogue's order; a batch points at those that it runs
  std::vector<Planned> plan_;  // of all tasks, in their order
  NetnsId next_netns_ = NetnsId::host;
  Snapshot snapshot_;
  IncidentBook book_;
  Movement movement_;
  std::optional<TimePoint> dealt_at_;             // the budget
  bool urgent_ = false, settings_cited_ = false;  // of the latest diagnosis
  bool batch_out_ = false, any_removed_ = false;
  std::uint64_t ticks_late_ = 0;
};

}  // namespace tcpdiag
