// SPDX-License-Identifier: Apache-2.0
#include "daemon/cycle.h"

#include <array>
#include <set>

#include "core/facts/file_handles.h"
#include "core/facts/listeners.h"
#include "core/facts/settings.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

Result<FileHandles> read_files(Source& source) {
  return source.read("/files").map(
      [](const std::string& text) { return FileHandles{.open = std::stoul(text), .max = 1000}; });
}

Result<SocketUsage> read_usage(Source& source) {
  return source.size("/usage").map([](std::uint64_t size) { return SocketUsage{.tcp_in_use = size}; });
}

// Says how many open files were known before it ran.
struct SeesFiles {
  Result<Softnet> operator()(const Reading& reading) const {
    const auto* files = reading.previous.files.get();
    return Softnet{.cpus = {{.processed = files == nullptr ? 0 : files->open}}};
  }
};

constexpr CollectorSpec kCatalog[] = {
    {"usage", 100ms, Thread::loop, true, "", "", make_stateless_collector<&NetnsView::sockets, read_usage>},
    {"files", 5s, Thread::worker, false, "", "", make_stateless_collector<&Snapshot::files, read_files>},
    {"sees", 5s, Thread::worker, false, "", "", make_collector<&Snapshot::softnet, SeesFiles>},
};

Result<Listeners> read_standing_queue(Source&) {
  Listener listener{.sockets = {{.queue_length = 3, .queue_limit = 5}}};
  return Listeners{.listeners = {std::move(listener)}};
}

constexpr CollectorSpec kTroubled[] = {
    {"queues", 1s, Thread::loop, true, "", "",
     make_stateless_collector<&NetnsView::listeners, read_standing_queue>},
    {"files",
     6s,
     Thread::worker,
     false,
     "",
     "",
     make_stateless_collector<&Snapshot::files, read_files>,
     {.hurry = Hurry::in_trouble}},
};

Result<Settings> read_no_cookies(Source&) {
  return Settings{.sysctls = {{"net.ipv4.tcp_syncookies", {0}, "0"}}, .unread = {}};
}

constexpr CollectorSpec kSettings[] = {
    {"sysctl",
     10s,
     Thread::worker,
     true,
     "",
     "",
     make_stateless_collector<&NetnsView::settings, read_no_cookies>,
     {.hurry = Hurry::when_cited}},
};

// A machine with two namespaces and a clock that a test moves; every source is the same few files.
struct Machine {
  TimePoint now{1h};
  std::chrono::nanoseconds cpu_of_a_run{};
  std::chrono::nanoseconds cpu{};
  std::vector<FakeSource*> sources;
  bool files_denied = false;

  Clocks clocks() {
    return {.monotonic = [this] { return now; },
            .wall = [] { return std::chrono::system_clock::time_point(1s); },
            .thread_cpu = [this] { return cpu += cpu_of_a_run; }};
  }
  Cycle cycle(CycleOptions options = {}, std::span<const CollectorSpec> catalog = kCatalog) {
    const auto open = [this](const std::string&, Thread) {
      auto source = std::make_unique<FakeSource>();
      source->files["/files"] = "7";
      source->sizes["/usage"] = 3;
      sources.push_back(source.get());
      return source;
    };
    return Cycle(catalog, {kHostNetns, "blue"}, open, std::move(options), clocks());
  }
};

std::vector<std::string_view> names(const std::unique_ptr<Batch>& batch) {
  std::vector<std::string_view> found;
  if (batch != nullptr)
    for (const auto* task : batch->tasks) found.push_back(task->spec->name);
  return found;
}

const CollectorRun& run_of(const Report& report, std::string_view collector) {
  for (const auto& run : report.runs)
    if (run.collector == collector) return run;
  throw std::out_of_range(std::string(collector));
}

}  // namespace

TEST_CASE("before the first run every section is unknown and the report is not complete") {
  Machine machine;
  const auto cycle = machine.cycle();
  const auto report = cycle.report(machine.now);
  CHECK_FALSE(cycle.complete());
  REQUIRE(report.snapshot.namespaces.size() == 2);
  CHECK(report.snapshot.namespaces[1].name == "blue");
  CHECK(report.snapshot.files.value.error().code == Errc::not_read);
  CHECK(report.runs.size() == 4);
}

TEST_CASE("a per-namespace collector runs once for each namespace, a machine's once") {
  Machine machine;
  auto cycle = machine.cycle();
  cycle.run_all(machine.now);
  const auto report = cycle.report(machine.now);
  CHECK(cycle.complete());
  CHECK(report.snapshot.namespaces[0].sockets.get()->tcp_in_use == 3);
  CHECK(report.snapshot.namespaces[1].sockets.get()->tcp_in_use == 3);
  CHECK(report.snapshot.files.get()->open == 7);
}

TEST_CASE("a collector of a batch sees what the one before it found") {
  Machine machine;
  auto cycle = machine.cycle();
  cycle.run_all(machine.now);
  CHECK(cycle.report(machine.now).snapshot.softnet.get()->cpus[0].processed == 7);
}

TEST_CASE("collectors run at their periods although ticks waver") {
  Machine machine;
  auto cycle = machine.cycle();
  int loops = 0, batches = 0;
  for (int tick = 0; tick < 101; ++tick) {
    const auto waver = tick % 3 == 0 ? 2ms : 0ms;
    const auto now = TimePoint(1h) + tick * 100ms + waver;
    cycle.run_loop_collectors(now);
    if (cycle.report(now).snapshot.namespaces[0].sockets.read_at == now) ++loops;
    if (auto batch = cycle.take_batch(now)) {
      ++batches;
      batch->run(machine.clocks(), [] { return false; });
      cycle.finish(std::move(batch));
    }
  }
  CHECK(loops == 101);
  CHECK(batches == 3);
}

TEST_CASE("after a standstill a collector runs once and keeps its period from there") {
  Machine machine;
  auto cycle = machine.cycle();
  cycle.run_all(machine.now);
  machine.now += 1min;
  CHECK(names(cycle.take_batch(machine.now)) == std::vector<std::string_view>{"files", "sees"});
  CHECK(cycle.take_batch(machine.now + 100ms) == nullptr);
}

TEST_CASE("what a diagnosis compares is read in one go, however late the last one was") {
  Machine machine;
  auto cycle = machine.cycle({}, kTroubled);
  const auto read_at = [&](TimePoint now) {
    return cycle.report(now).snapshot.namespaces[0].listeners.read_at;
  };
  const auto start = machine.now;
  cycle.run_loop_collectors(start);
  machine.now = start + 300ms;
  cycle.run_loop_collectors(machine.now);
  CHECK(read_at(machine.now) == start);
  cycle.run_loop_collectors(machine.now, true);
  CHECK(read_at(machine.now) == machine.now);
  machine.now = start + 1s;  // its rhythm goes on from there
  cycle.run_loop_collectors(machine.now);
  CHECK(read_at(machine.now) == start + 300ms);
  machine.now = start + 1300ms;
  cycle.run_loop_collectors(machine.now);
  CHECK(read_at(machine.now) == machine.now);
}

TEST_CASE("while a queue stands, what the diagnosis waits for is read three times as often") {
  for (const bool hurry : {true, false}) {
    Machine machine;
    auto cycle = machine.cycle({.hurry = hurry}, kTroubled);
    int runs = 0;
    for (int second = 0; second < 60; ++second) {
      cycle.run_loop_collectors(machine.now);
      if (auto batch = cycle.take_batch(machine.now)) {
        batch->run(machine.clocks(), [] { return false; });
        cycle.finish(std::move(batch));
        ++runs;
      }
      cycle.diagnose(machine.now);
      machine.now += 1s;
    }
    CHECK(runs == (hurry ? 30 : 10));
  }
}

TEST_CASE("what keeps the rhythm of a collector is not missed for ever") {
  constexpr CollectorSpec kWavering[] = {
      {"files",
       4s,
       Thread::worker,
       false,
       "",
       "",
       make_stateless_collector<&Snapshot::files, read_files>,
       {.hurry = Hurry::in_trouble, .wavers = true}},
  };
  for (const auto rhythm : {1s, 2s, 4s, 8s}) {
    Machine machine;
    auto cycle = machine.cycle({}, kWavering);
    std::set<std::int64_t> tenths;  // of the rhythm, in which there was a run
    TimePoint last = machine.now;
    for (int tick = 0; tick < 1200; ++tick, machine.now += 100ms) {
      auto batch = cycle.take_batch(machine.now);
      if (batch == nullptr) continue;
      CHECK(machine.now - last <= 5700ms);
      last = machine.now;
      tenths.insert((machine.now.time_since_epoch() % rhythm) * 10 / std::chrono::nanoseconds(rhythm));
      cycle.finish(std::move(batch));
    }
    CHECK(tenths.size() >= 8);
  }
}

TEST_CASE("a calm namespace is looked at less often, but not the daemon's own") {
  static std::uint32_t waiting;
  constexpr auto kRead = [](Source&) -> Result<Listeners> {
    Listener listener{.sockets = {{.queue_length = waiting, .queue_limit = 5}}};
    return Listeners{.listeners = {std::move(listener)}};
  };
  constexpr CollectorSpec kCalm[] = {{"queues",
                                      100ms,
                                      Thread::loop,
                                      true,
                                      "",
                                      "",
                                      make_stateless_collector<&NetnsView::listeners, kRead>,
                                      {.calm_factor = 10}}};
  const auto looks = [&](std::uint32_t length) {
    waiting = length;
    Machine machine;
    auto cycle = machine.cycle({}, kCalm);
    std::array<int, 2> read{};
    for (int tick = 0; tick < 100; ++tick, machine.now += 100ms) {
      cycle.run_loop_collectors(machine.now);
      for (std::size_t i = 0; i < 2; ++i)
        read.at(i) += cycle.snapshot().namespaces[i].listeners.read_at == machine.now ? 1 : 0;
    }
    return read;
  };
  CHECK(looks(0) == std::array{100, 10});
  CHECK(looks(1) == std::array{100, 100});
}

TEST_CASE("a namespace in which nothing moves is looked at still less often, until something does") {
  static std::uint64_t segments;
  static std::uint32_t waiting;
  segments = waiting = 0;
  constexpr auto kCount = [](Source&) -> Result<TcpCounters> {
    TcpCounters counters;
    counters.in_segs = segments;
    return counters;
  };
  constexpr auto kQueues = [](Source&) -> Result<Listeners> {
    Listener listener{.sockets = {{.queue_length = waiting, .queue_limit = 5}}};
    return Listeners{.listeners = {std::move(listener)}};
  };
  constexpr CollectorSpec kMoving[] = {{"counters",
                                        1s,
                                        Thread::loop,
                                        true,
                                        "",
                                        "",
                                        make_stateless_collector<&NetnsView::tcp, kCount>,
                                        {.rest_factor = 2}},
                                       {"queues",
                                        100ms,
                                        Thread::loop,
                                        true,
                                        "",
                                        "",
                                        make_stateless_collector<&NetnsView::listeners, kQueues>,
                                        {.calm_factor = 10, .rest_factor = 20}}};
  Machine machine;
  auto cycle = machine.cycle({}, kMoving);
  const auto looks = [&](std::chrono::seconds time) {
    int read = 0;
    for (const auto end = machine.now + time; machine.now < end; machine.now += 100ms) {
      cycle.run_loop_collectors(machine.now);
      read += cycle.snapshot().namespaces[1].listeners.read_at == machine.now ? 1 : 0;
    }
    return read;
  };
  CHECK(looks(3s) == 3);
  looks(3s);
  CHECK(looks(20s) == 10);  // at rest
  ++segments;
  looks(2s);
  CHECK(looks(1s) == 1);  // calm
  looks(4s);
  ++segments;
  waiting = 1;
  looks(2s);  // it is seen with the next look at the counters
  CHECK(looks(1s) == 10);
}

TEST_CASE("what a batch brings is news when it is the first, or connections are in trouble") {
  static constexpr CollectorSpec kFilesAndSettings[] = {
      {"sysctl",
       10s,
       Thread::worker,
       true,
       "",
       "",
       make_stateless_collector<&NetnsView::settings, read_no_cookies>,
       {.calm_factor = 3, .rest_factor = 3}},
      {"queues", 1s, Thread::loop, true, "", "", make_stateless_collector<&NetnsView::listeners, [](Source&) {
         return Result<Listeners>(Listeners{});
       }>}};
  Machine machine;
  auto cycle = machine.cycle({}, kFilesAndSettings);
  std::vector<std::pair<std::size_t, bool>> seen;  // tasks, news
  for (int second = 0; second < 60; ++second, machine.now += 1s) {
    cycle.run_loop_collectors(machine.now);
    auto batch = cycle.take_batch(machine.now);
    if (batch == nullptr) continue;
    batch->run(machine.clocks(), [] { return false; });
    const auto tasks = batch->tasks.size();
    seen.emplace_back(tasks, cycle.finish(std::move(batch)));
  }
  REQUIRE(seen.size() == 6);
  CHECK(seen.front() == std::pair<std::size_t, bool>(2, true));  // for the first time
  CHECK(std::all_of(seen.begin() + 1, seen.end(), [](const auto& batch) { return !batch.second; }));
}

TEST_CASE("while a queue stands, what is read on the worker is news") {
  Machine machine;
  auto cycle = machine.cycle({}, kTroubled);
  std::vector<bool> news;
  for (int second = 0; second < 20; ++second, machine.now += 1s) {
    cycle.run_loop_collectors(machine.now);
    cycle.diagnose(machine.now);
    if (auto batch = cycle.take_batch(machine.now)) {
      batch->run(machine.clocks(), [] { return false; });
      news.push_back(cycle.finish(std::move(batch)));
    }
  }
  CHECK(news.size() > 5);
  CHECK(std::ranges::find(news, false) == news.end());
}

TEST_CASE("where times are those of a recording no collector wavers") {
  constexpr CollectorSpec kWavering[] = {
      {"files",
       4s,
       Thread::worker,
       false,
       "",
       "",
       make_stateless_collector<&Snapshot::files, read_files>,
       {.hurry = Hurry::in_trouble, .wavers = true}},
  };
  Machine machine;
  auto cycle = machine.cycle({.hurry = false}, kWavering);
  for (int second = 0; second < 60; ++second, machine.now += 1s) {
    auto batch = cycle.take_batch(machine.now);
    CHECK((batch != nullptr) == (second % 4 == 0));
    if (batch != nullptr) cycle.finish(std::move(batch));
  }
}

TEST_CASE("while an incident rests on a setting, settings are read ten times as often") {
  for (const bool hurry : {true, false}) {
    Machine machine;
    auto cycle = machine.cycle({.hurry = hurry}, kSettings);
    int runs = 0;
    for (int second = 0; second < 60; ++second) {
      if (auto batch = cycle.take_batch(machine.now)) {
        batch->run(machine.clocks(), [] { return false; });
        cycle.finish(std::move(batch));
        ++runs;
      }
      cycle.diagnose(machine.now);
      machine.now += 1s;
    }
    CHECK(std::ranges::any_of(cycle.report(machine.now).incidents, [](const Incident& incident) {
      return incident.finding.id == "sysctl-syncookies-off";
    }));
    CHECK(runs == (hurry ? 60 : 6));
  }
}

TEST_CASE("a hundred namespaces come and go during an incident") {
  Machine machine;
  auto cycle = machine.cycle({}, kSettings);
  const auto second = [&] {
    auto batch = cycle.take_batch(machine.now);
    if (batch != nullptr) batch->run(machine.clocks(), [] { return false; });
    return batch;
  };
  const auto finish = [&](std::unique_ptr<Batch> batch) {
    if (batch != nullptr) cycle.finish(std::move(batch));
    cycle.diagnose(machine.now);
    machine.now += 1s;
  };
  const auto open_in = [&](const std::string& netns) -> std::optional<Moment> {
    for (const auto& incident : cycle.report(machine.now).incidents)
      if (incident.is_open() && incident.finding.netns == netns) return incident.opened;
    return std::nullopt;
  };
  for (int i = 0; i < 5; ++i) finish(second());
  const auto opened = open_in("blue");
  REQUIRE(opened);
  REQUIRE_FALSE(open_in("n7"));

  std::vector<NetnsId> added;
  for (int i = 0; i < 100; ++i) added.push_back(cycle.add("n" + std::to_string(i)));
  CHECK(std::set(added.begin(), added.end()).size() == 100);
  for (int i = 0; i < 15; ++i) finish(second());
  CHECK(cycle.complete());
  CHECK(cycle.report(machine.now).runs.size() == 102);
  CHECK(open_in("n7"));

  for (const auto id : added) {  // each while the worker reads it
    auto batch = second();
    cycle.remove(id);
    finish(std::move(batch));
  }
  for (int i = 0; i < 60; ++i) finish(second());
  const auto report = cycle.report(machine.now);
  CHECK(report.runs.size() == 2);
  CHECK(report.snapshot.namespaces.size() == 2);
  CHECK_FALSE(open_in("n7"));
  CHECK_FALSE(open_in("n99"));
  CHECK(open_in("blue") == opened);

  const auto again = cycle.add("n7");
  CHECK(std::ranges::find(added, again) == added.end());
  for (int i = 0; i < 15; ++i) finish(second());
  CHECK(open_in("n7"));
  CHECK(open_in("blue") == opened);
}

TEST_CASE("a namespace that is removed while its collector runs leaves nothing behind") {
  Machine machine;
  auto cycle = machine.cycle({}, kSettings);
  const auto web = cycle.add("web");
  auto batch = cycle.take_batch(machine.now);
  cycle.remove(web);
  cycle.configure({});  // does not switch it on again
  batch->run(machine.clocks(), [] { return false; });
  cycle.finish(std::move(batch));
  const auto report = cycle.report(machine.now);
  CHECK(report.snapshot.namespaces.size() == 2);
  CHECK(report.runs.size() == 2);
  CHECK(cycle.complete());
}

TEST_CASE("only one batch is out at a time") {
  Machine machine;
  auto cycle = machine.cycle();
  auto batch = cycle.take_batch(machine.now);
  REQUIRE(batch != nullptr);
  CHECK(cycle.take_batch(machine.now + 1min) == nullptr);
  batch->run(machine.clocks(), [] { return false; });
  cycle.finish(std::move(batch));
  CHECK(cycle.take_batch(machine.now + 1min) != nullptr);
}

TEST_CASE("a collector that fails makes its section an error, and nothing else") {
  Machine machine;
  auto cycle = machine.cycle();
  cycle.run_all(machine.now);
  for (auto* source : machine.sources) source->deny("/files");
  machine.now += 5s;
  cycle.run_all(machine.now);
  const auto report = cycle.report(machine.now);
  CHECK(report.snapshot.files.value.error().code == Errc::denied);
  CHECK_FALSE(run_of(report, "files").outcome);
  CHECK(run_of(report, "files").succeeded_at == machine.now - 5s);
  CHECK(report.snapshot.softnet.known());
  CHECK(report.snapshot.namespaces[0].sockets.known());
}

TEST_CASE("a collector that is switched off forgets what it said, also when it is just running") {
  Machine machine;
  auto cycle = machine.cycle();
  auto batch = cycle.take_batch(machine.now);
  batch->run(machine.clocks(), [] { return false; });
  cycle.configure({.collectors_off = {"files"}});
  cycle.finish(std::move(batch));
  const auto report = cycle.report(machine.now);
  CHECK(report.snapshot.files.value.error().code == Errc::not_read);
  CHECK(report.runs.size() == 3);
  cycle.configure({});
  CHECK(names(cycle.take_batch(machine.now + 5s)) == std::vector<std::string_view>{"files", "sees"});
}

TEST_CASE("collecting that costs more than its budget is stretched, and comes back when it is cheap") {
  Machine machine{.cpu_of_a_run = 100ms};  // two collectors at 5 s: 4 % of a core
  auto cycle = machine.cycle({.collectors_off = {"usage"}, .cpu_budget = 0.01});
  for (int runs = 0; runs < 20; ++runs) cycle.run_all(machine.now += 20s);
  const auto period = run_of(cycle.report(machine.now), "files").period;
  CHECK(period > 19900ms);
  CHECK(period <= 20s);
  machine.cpu_of_a_run = 0ms;
  for (int runs = 0; runs < 5; ++runs) cycle.run_all(machine.now += 20s);
  CHECK(run_of(cycle.report(machine.now), "files").period == 5s);
}

TEST_CASE("no period becomes longer than ten minutes, however small the budget") {
  Machine machine{.cpu_of_a_run = 100ms};
  auto cycle = machine.cycle({.collectors_off = {}, .cpu_budget = 1e-300});
  cycle.run_all(machine.now);
  CHECK(run_of(cycle.report(machine.now), "files").period == 10min);
}

TEST_CASE("a larger budget takes effect at once") {
  Machine machine{.cpu_of_a_run = 100ms};
  auto cycle = machine.cycle({.collectors_off = {"usage"}, .cpu_budget = 0.0001});
  cycle.run_all(machine.now);
  CHECK(cycle.take_batch(machine.now + 6s) == nullptr);
  cycle.configure({.collectors_off = {"usage"}, .cpu_budget = 1.0});
  CHECK(cycle.take_batch(machine.now + 6s) != nullptr);
}

TEST_CASE("a collector that is switched on again has no success until it has run, and runs at once") {
  Machine machine;
  auto cycle = machine.cycle();
  cycle.run_all(machine.now);
  cycle.configure({.collectors_off = {"files"}});
  cycle.configure({});
  CHECK_FALSE(run_of(cycle.report(machine.now), "files").outcome);
  CHECK_FALSE(run_of(cycle.report(machine.now), "files").succeeded_at);
  CHECK(names(cycle.take_batch(machine.now + 1s)) == std::vector<std::string_view>{"files"});
}

TEST_CASE("an exception in a collector is a failed run and no end of the others") {
  Machine machine;
  auto cycle = machine.cycle();
  for (auto* source : machine.sources) source->files["/files"] = "not a number";  // std::stoul throws
  cycle.run_all(machine.now);
  const auto report = cycle.report(machine.now);
  CHECK(report.snapshot.files.value.error().code == Errc::failed);
  CHECK_FALSE(run_of(report, "files").outcome);
  CHECK(report.snapshot.softnet.known());
}

TEST_CASE("once the program is stopping, what is left of a batch is not run") {
  Machine machine;
  auto cycle = machine.cycle();
  auto batch = cycle.take_batch(machine.now);
  int asked = 0;
  batch->run(machine.clocks(), [&] { return ++asked > 1; });
  CHECK(batch->results.size() == 1);
  cycle.finish(std::move(batch));
  CHECK(cycle.report(machine.now).snapshot.files.known());
}
