// SPDX-License-Identifier: Apache-2.0
#include "daemon/netns_watch.h"

#include "core/facts/socket_usage.h"
#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

// What the machine's namespaces are, for the collector that lists them.
NetnsList on_the_machine;
bool list_fails = false;

Result<NetnsList> read_list(Source&) {
  if (list_fails) return unexpected(Errc::failed, "/proc: Input/output error");
  return on_the_machine;
}
Result<SocketUsage> read_usage(Source&) { return SocketUsage{.tcp_in_use = 3}; }

constexpr CollectorSpec kCatalog[] = {
    {"usage", 1s, Thread::loop, true, "", "", make_stateless_collector<&NetnsView::sockets, read_usage>},
    {"namespaces", 1s, Thread::worker, false, "", "",
     make_stateless_collector<&Snapshot::netns_list, read_list>},
};

FoundNetns found(std::uint64_t generation, const std::string& name, std::int32_t pid = 100) {
  return {.inode = 4026532000 + generation, .generation = generation, .anchor_pid = pid, .name = name};
}

// A cycle on that machine, one second a step.
struct Watching {
  explicit Watching(std::vector<std::string> configured = {}, std::size_t most = NetnsWatch::kMost)
      : cycle(kCatalog, namespaces(configured),
              [](const std::string&, Thread) { return std::make_unique<FakeSource>(); }, {},
              {.monotonic = [this] { return now; },
               .wall = [] { return std::chrono::system_clock::time_point(1s); },
               .thread_cpu = [] { return 0ns; }}),
        watch(cycle, configured, paths, most) {
    list_fails = false;
    on_the_machine = {.namespaces = {{.inode = 4026531840, .name = "host", .kind = NetnsKind::host}}};
  }
  static std::vector<std::string> namespaces(std::vector<std::string> configured) {
    configured.insert(configured.begin(), kHostNetns);
    return configured;
  }

  void step() {
    cycle.run_all(now);
    watch.follow();
    now += 1s;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& netns : cycle.snapshot().namespaces) all.push_back(netns.name);
    return all;
  }

  TimePoint now{1h};
  std::shared_ptr<NetnsPaths> paths = std::make_shared<NetnsPaths>();
  Cycle cycle;
  NetnsWatch watch;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a namespace is watched from soon after it appears until it is gone") {
  Watching watching;
  watching.step();
  CHECK(watching.names() == Names{"host"});
  on_the_machine.namespaces.push_back(found(1, "shop"));
  watching.step();
  CHECK(watching.names() == Names{"host", "shop"});
  CHECK(watching.paths->of("shop").path == "/proc/100/ns/net");
  CHECK(watching.paths->of("shop").inode == 4026532001);
  watching.step();
  CHECK(watching.cycle.snapshot().namespaces[1].sockets.known());
  on_the_machine.namespaces.pop_back();
  watching.step();
  CHECK(watching.names() == Names{"host"});
  CHECK(watching.paths->of("shop").path == "shop");
}

TEST_CASE("a namespace whose first process ends is still the same one") {
  Watching watching;
  on_the_machine.namespaces.push_back(found(1, "shop"));
  watching.step();
  const auto id = watching.cycle.snapshot().namespaces[1].id;
  on_the_machine.namespaces[1].anchor_pid = 207;
  watching.step();
  CHECK(watching.cycle.snapshot().namespaces[1].id == id);
  CHECK(watching.paths->of("shop").path == "/proc/207/ns/net");
}

TEST_CASE("another namespace of the same name is another one") {
  Watching watching;
  on_the_machine.namespaces.push_back(found(1, "shop"));
  watching.step();
  const auto id = watching.cycle.snapshot().namespaces[1].id;
  on_the_machine.namespaces[1] = found(2, "shop");
  watching.step();
  CHECK(watching.names() == Names{"host", "shop"});
  CHECK(watching.cycle.snapshot().namespaces[1].id != id);
  CHECK(watching.paths->of("shop").inode == 4026532002);
}

TEST_CASE("a namespace whose name is found later is watched under that name") {
  Watching watching;
  on_the_machine.namespaces.push_back(found(1, "netns 4026532001"));
  watching.step();
  on_the_machine.namespaces[1].name = "shop";
  watching.step();
  CHECK(watching.names() == Names{"host", "shop"});
}

TEST_CASE("nothing is added where there is no time left to look at it") {
  Watching watching;
  on_the_machine.namespaces.push_back(found(1, "shop"));
  watching.cycle.run_all(watching.now);
  watching.watch.follow(false);
  CHECK(watching.names() == Names{"host"});
}

TEST_CASE("a list that cannot be read changes nothing, one that is switched off ends the watch") {
  Watching watching;
  on_the_machine.namespaces.push_back(found(1, "shop"));
  watching.step();
  list_fails = true;
  watching.step();
  CHECK(watching.names() == Names{"host", "shop"});
  watching.cycle.configure({.collectors_off = {"namespaces"}});
  watching.step();
  CHECK(watching.names() == Names{"host"});
}

TEST_CASE("what is configured is not watched twice, and keeps its name") {
  Watching watching({"blue", "shop"});
  auto blue = found(1, "blue");
  blue.mount = "/run/netns/blue";
  on_the_machine.namespaces.push_back(blue);
  on_the_machine.namespaces.push_back(found(2, "shop"));  // a container of that name
  watching.step();
  CHECK(watching.names() == Names{"host", "blue", "shop", "shop (4026532002)"});
}

TEST_CASE("no more namespaces are watched than there are series for") {
  Watching watching;
  for (std::uint64_t i = 1; i <= 1000; ++i)
    on_the_machine.namespaces.push_back(found(i, "container-" + std::to_string(i)));
  watching.step();
  CHECK(watching.names().size() == 1 + NetnsWatch::kMostAtOnce);
  for (int i = 0; i < 20; ++i) watching.step();
  CHECK(watching.names().size() == 1 + NetnsWatch::kMost);
  on_the_machine.namespaces.erase(on_the_machine.namespaces.begin() + 1);
  watching.step();
  CHECK(watching.names().size() == 1 + NetnsWatch::kMost);
  CHECK(watching.names().back() == "container-256");
}

TEST_CASE("namespaces that users make leave places to the machine's") {
  Watching watching;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    on_the_machine.namespaces.push_back(found(i, "users-" + std::to_string(i)));
    on_the_machine.namespaces.back().of_machine = false;
  }
  for (int i = 0; i < 20; ++i) watching.step();
  CHECK(watching.names().size() == 1 + NetnsWatch::kMostOfUsers);
  on_the_machine.namespaces.push_back(found(2000, "shop"));
  watching.step();
  CHECK(watching.names().back() == "shop");
  on_the_machine.namespaces.erase(on_the_machine.namespaces.begin() + 1);
  watching.step();
  CHECK(watching.names().back() == "users-33");
}

TEST_CASE("a mount leads to a namespace before a process does, which may have looked in only") {
  auto blue = found(1, "blue", 4711);
  CHECK(place_of(blue).path == "/proc/4711/ns/net");
  blue.mount = "/run/netns/blue";
  CHECK(place_of(blue).path == "/run/netns/blue");
}

TEST_CASE("a namespace that is excluded is not watched, and is again when it is no more") {
  Watching watching;
  on_the_machine.namespaces.push_back(found(1, "shop"));
  on_the_machine.namespaces.push_back(found(2, "payments/checkout-canary"));
  watching.watch.set_filter({.exclude = {"*-canary"}});
  watching.step();
  CHECK(watching.names() == Names{"host", "shop"});
  watching.watch.set_filter({.include = {"payments/*"}});
  watching.step();
  CHECK(watching.names() == Names{"host", "payments/checkout-canary"});
  watching.watch.set_filter({});
  watching.step();
  CHECK(watching.names() == Names{"host", "payments/checkout-canary", "shop"});
}

TEST_CASE("a namespace that turns out to have an excluded name is not watched any more") {
  Watching watching;
  watching.watch.set_filter({.exclude = {"shop"}});
  on_the_machine.namespaces.push_back(found(1, "netns 4026532001"));
  watching.step();
  CHECK(watching.names() == Names{"host", "netns 4026532001"});
  on_the_machine.namespaces[1].name = "shop";
  watching.step();
  CHECK(watching.names() == Names{"host"});
}

TEST_CASE("of each namespace it is said whether it is watched, and why not") {
  using enum NetnsState;
  const auto states = [](Watching& watching) {
    auto report = watching.cycle.report(watching.now);
    watching.watch.note_states(report);
    std::vector<NetnsState> all;
    for (const auto& each : report.snapshot.netns_list.get()->namespaces) all.push_back(each.state);
    return all;
  };
  Watching few({}, 1);
  few.watch.set_filter({.exclude = {"blue"}});
  for (std::uint64_t i = 1; const auto* name : {"shop", "blue", "db"})
    on_the_machine.namespaces.push_back(found(i++, name));
  few.step();
  CHECK(states(few) == std::vector{watched, watched, excluded, too_many});
  on_the_machine.namespaces.erase(on_the_machine.namespaces.begin() + 1);
  few.cycle.run_all(few.now);
  few.watch.follow(false);
  CHECK(states(few) == std::vector{watched, excluded, soon});
  Watching none({}, 0);
  on_the_machine.namespaces.push_back(found(1, "shop"));
  none.step();
  CHECK(states(none) == std::vector{watched, denied});
  Report nothing_known;
  none.watch.note_states(nothing_known);
  CHECK_FALSE(nothing_known.snapshot.netns_list.known());
}

TEST_CASE("without the right to enter them only their list is known") {
  Watching watching({}, 0);
  on_the_machine.namespaces.push_back(found(1, "shop"));
  watching.step();
  CHECK(watching.names() == Names{"host"});
  CHECK(watching.cycle.snapshot().netns_list.get()->namespaces.size() == 2);
}
