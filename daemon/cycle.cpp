// SPDX-License-Identifier: Apache-2.0
#include "daemon/cycle.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "daemon/budget.h"
#include "diagnosis/catalog.h"
#include "diagnosis/urgency.h"

namespace tcpdiag {
namespace {

// A tick that comes this much before a collector is due is meant for it: ticks waver, the rhythm shall not.
constexpr auto kEarly = std::chrono::milliseconds(20);
// What other namespaces may take of a tick; what is left comes with the next one.
constexpr auto kPassTime = std::chrono::milliseconds(200);
// How often the budget is dealt out anew: what collectors cost changes slowly.
constexpr std::chrono::seconds kDealsEvery{5};
// However small the budget: a number that is older than this says nothing about the present.
constexpr auto kLongestPeriod = std::chrono::minutes(10);
// A client that waits for room beside a full queue is half-open for 3 s where net.ipv4.tcp_synack_retries is
// 1: two dumps within that time do not miss it.
constexpr int kHurry = 3;
// Who is told that a setting is wrong changes it, and looks whether that helps.
constexpr int kHurryWhenCited = 10;

// The time between a collector's n-th run and the next one, as a share of its period: 0.8 or 1.4, in an order
// that leads the runs evenly through 60 % of every rhythm of that period or a part of it (n times the golden
// ratio has no period), and with the mean a little off 1 through all of it. No randomness: a cycle can be
// repeated.
double wavering(std::uint64_t run) {
  constexpr double kGolden = 0.6180339887498949, kDepth = 0.6, kMean = 1.025;
  const auto place = [](std::uint64_t n) {
    const auto turns = static_cast<double>(n % (1U << 20)) * kGolden;
    return turns - std::floor(turns);
  };
  return kMean + kDepth * (place(run + 1) - place(run));
}

// Without what the budget makes of it.
std::chrono::milliseconds usual_period(const Task& task) { return task.spec->period * task.factor; }

void set_period(Task& task) {
  const std::chrono::duration<double> period = usual_period(task) * task.stretch;
  task.latest.period = std::chrono::round<std::chrono::milliseconds>(
      std::min<std::chrono::duration<double>>(period, kLongestPeriod));
}

}  // namespace

Cycle::Cycle(std::span<const CollectorSpec> catalog, const std::vector<std::string>& namespaces,
             OpenSource open, CycleOptions options, Clocks clocks, Hold hold)
    : catalog_(catalog),
      open_(std::move(open)),
      options_(std::move(options)),
      clocks_(std::move(clocks)),
      book_(rule_catalog(), {}, hold) {
  for (const auto& name : namespaces) add(name);
}

NetnsId Cycle::add(const std::string& netns, std::uint64_t generation) {
  const auto id = next_netns_;
  next_netns_ = NetnsId{static_cast<std::uint32_t>(id) + 1};
  snapshot_.namespaces.push_back({.id = id, .generation = generation, .name = netns});
  std::map<Thread, std::shared_ptr<Source>> sources;
  auto place = tasks_.begin();
  for (const auto& spec : catalog_) {
    place = std::find_if(place, tasks_.end(), [&](const Task& task) { return task.spec > &spec; });
    if (!spec.per_netns && id != NetnsId::host) continue;
    auto& source = sources[spec.thread];
    if (source == nullptr) source = open_(netns, spec.thread);
    tasks_.insert(place, {.spec = &spec,
                          .collector = spec.make(id),
                          .netns = id,
                          .source = source,
                          .on = !options_.collectors_off.contains(spec.name),
                          .latest = {.collector = std::string(spec.name),
                                     .netns = spec.per_netns ? netns : "",
                                     .period = spec.period}});
  }
  plan_all();
  keep_to_budget();
  return id;
}

void Cycle::remove(NetnsId netns) {
  if (netns == NetnsId::host) return;
  std::erase_if(snapshot_.namespaces, [&](const NetnsView& view) { return view.id == netns; });
  for (auto& task : tasks_) {
    if (task.netns != netns) continue;
    task.on = false;
    plan(task);
  }
  any_removed_ = true;
  if (!batch_out_) drop_removed();
}

void Cycle::drop_removed() {
  if (!std::exchange(any_removed_, false)) return;
  std::erase_if(tasks_, [&](const Task& task) { return snapshot_.find(task.netns) == nullptr; });
  movement_.keep(snapshot_);
  plan_all();
  keep_to_budget();
}

void Cycle::configure(CycleOptions options) {
  options_ = std::move(options);
  for (auto& task : tasks_) {
    task.on = snapshot_.find(task.netns) != nullptr && !options_.collectors_off.contains(task.spec->name);
    if (!task.on) forget(task);
  }
  keep_to_budget();  // and with it the plan
}

void Cycle::follow_movement(NetnsId netns, TimePoint now) {
  if (!options_.hurry || netns == NetnsId::host) return;
  const auto activity = movement_.see(snapshot_.view(netns), now);
  if (!activity) return;
  for (auto& task : tasks_) {
    if (task.netns != netns) continue;
    const bool wakes = task.activity == Activity::rest;
    task.activity = *activity;
    task.factor = task.spec->pace.factor(*activity);
    set_period(task);
    plan(task);
    // A queue may be filling: its first look decides how soon it is noticed.
    if (wakes && task.on && task.spec->thread == Thread::loop)
      plan_[task.place].due = std::min(plan_[task.place].due, now);
  }
}

std::chrono::nanoseconds Cycle::time_to_next(const Task& task) const {
  std::chrono::nanoseconds period = task.latest.period;
  const auto& pace = task.spec->pace;
  if (urgent_ && pace.hurry == Hurry::in_trouble) period /= kHurry;
  if (settings_cited_ && pace.hurry == Hurry::when_cited) period /= kHurryWhenCited;
  if (!options_.hurry || !pace.wavers) return period;
  return std::chrono::round<std::chrono::milliseconds>(period * wavering(task.runs));
}

void Cycle::plan(const Task& task) {
  auto& due = plan_[task.place].due;
  due = !task.on ? TimePoint::max() : task.begun ? *task.begun + time_to_next(task) : TimePoint();
}

void Cycle::plan_all() {
  plan_.clear();
  for (auto& task : tasks_) {
    task.place = plan_.size();
    plan_.push_back({.task = &task,
                     .thread = task.spec->thread,
                     .own = task.netns == NetnsId::host,
                     .with_diagnosis = snapshot_.view(task.netns).generation == 0});
    plan(task);
  }
}

bool Cycle::take_if_due(const Planned& planned, TimePoint now, bool to_diagnose) {
  const bool early = planned.due > now + kEarly;
  if (early && (!to_diagnose || !planned.with_diagnosis)) return false;
  auto& task = *planned.task;
  if (!task.on || (early && time_to_next(task) > kDiagnosisPeriod)) return false;
  const bool stood_still = !task.begun || now - planned.due >= planned.due - *task.begun;
  task.begun = early || stood_still ? now : planned.due;  // keeps the rhythm, but does not catch up
  ++task.runs;
  plan(task);
  return true;
}

void Cycle::run_loop_collectors(TimePoint now, bool to_diagnose) {
  const auto begun = clocks_.monotonic();
  for (const bool own : {true, false})
    for (const auto& planned : plan_) {
      if (planned.thread != Thread::loop || planned.own != own) continue;
      if (!take_if_due(planned, now, to_diagnose)) continue;
      auto& task = *planned.task;
      keep(run_task(task, snapshot_, now, clocks_, options_.hurry));
      if (own) continue;
      follow_movement(task.netns, now);
      if (clocks_.monotonic() - begun > kPassTime) break;
    }
  snapshot_.at = now;
  if (!dealt_at_ || now - *dealt_at_ >= kDealsEvery) {
    keep_to_budget();
    dealt_at_ = now;
  }
}

std::unique_ptr<Batch> Cycle::take_batch(TimePoint now) {
  if (batch_out_) return nullptr;
  std::vector<Task*> due;
  for (const auto& planned : plan_)
    if (planned.thread == Thread::worker && take_if_due(planned, now)) due.push_back(planned.task);
  if (due.empty()) return nullptr;
  batch_out_ = true;
  return std::make_unique<Batch>(
      Batch{.tasks = std::move(due), .snapshot = snapshot_, .now = now, .may_rest = options_.hurry});
}

bool Cycle::finish(std::unique_ptr<Batch> batch) {
  batch_out_ = false;
  bool news = false, of_host = false;
  for (const auto& result : batch->results) {
    if (!result.task->on) continue;  // switched off while it ran
    result.collected.store(snapshot_);
    keep(result);
    news = news || (result.task->factor == 1 && (urgent_ || result.task->runs == 1));
    of_host = of_host || result.task->netns == NetnsId::host;
  }
  drop_removed();
  if (of_host) keep_to_budget();
  return news;
}

void Cycle::run_all(TimePoint now, bool to_diagnose) {
  run_loop_collectors(now, to_diagnose);
  if (auto batch = take_batch(now)) {
    batch->run(clocks_, [] { return false; });
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
  // One slow run, and the first is often one, shall not stretch the period for long. In a namespace that was
  // found it opens all files: with hundreds of them that would take minutes to be forgotten.
  if (task.runs == 1 && task.netns != NetnsId::host) return;
  constexpr double kWeight = 0.5;
  task.mean_cpu = task.mean_cpu * (1 - kWeight) + kWeight * result.cpu;
}

void Cycle::forget(Task& task) {
  task.collector.fail(snapshot_, {}, {});
  task.begun.reset();
  task.mean_cpu = {};
  task.latest = {.collector = task.latest.collector, .netns = task.latest.netns, .period = task.spec->period};
}

void Cycle::keep_to_budget() {
  // What belongs to the machine or the daemon's own namespace is a group of its own: however many containers
  // there are, they leave it a third of the budget.
  // Then come the namespaces that are in trouble, which are few, and what is left is for the others.
  const auto group_of = [](const Task& task) {
    return task.netns == NetnsId::host ? 0U : task.activity == Activity::trouble ? 1U : 2U;
  };
  std::vector<std::vector<double>> loads(3);
  for (const auto& task : tasks_) loads[group_of(task)].push_back(task.mean_cpu / usual_period(task));
  std::vector<std::vector<double>> stretches;
  if (options_.cpu_budget) stretches = stretch_groups_to_budget(loads, *options_.cpu_budget);
  std::array<std::size_t, 3> place{};
  for (auto& task : tasks_) {
    const auto group = group_of(task);
    task.stretch = stretches.empty() ? 1.0 : stretches[group][place.at(group)++];
    set_period(task);
    plan(task);
  }
}

void Cycle::diagnose(TimePoint now) {
  snapshot_.at = now;
  book_.observe(snapshot_, {now, clocks_.wall()});
  const auto urgent = options_.hurry && is_urgent(book_.history());
  const auto cited = options_.hurry && rests_on_settings(book_.incidents());
  if (std::pair(urgent, cited) == std::pair(urgent_, settings_cited_)) return;
  urgent_ = urgent;
  settings_cited_ = cited;
  for (auto& task : tasks_) plan(task);
}

Report Cycle::report(TimePoint now) const {
  Report report{.at = now, .wall_at = clocks_.wall(), .snapshot = snapshot_, .ticks_late = ticks_late_};
  report.runs.reserve(tasks_.size());
  for (const auto& task : tasks_)
    if (task.on && !is_on_its_way_out(task)) report.runs.push_back(task.latest);
  book_.write_to(report);
  return report;
}

bool Cycle::complete() const {
  return std::ranges::all_of(tasks_, [&](const Task& task) {
    return !task.on || task.latest.finished_at != TimePoint() || snapshot_.view(task.netns).generation != 0;
  });
}

bool Cycle::is_on_its_way_out(const Task& task) const {
  const auto& outcome = task.latest.outcome;
  return !outcome && outcome.error().code == Errc::no_netns && snapshot_.view(task.netns).generation != 0;
}

}  // namespace tcpdiag
