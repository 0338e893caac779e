// SPDX-License-Identifier: Apache-2.0
#include "core/facts/connections.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kLeak = "close-wait-leak";
constexpr auto kUnaccepted = "close-wait-unaccepted";
constexpr auto kClosed = "closed-socket-fd-leak";

Process server(Count open = 40) {
  return {.pid = 812,
          .start_ticks = 5,
          .comm = "gunicorn",
          .owner = system_unit("app.service"),
          .open_fds = open,
          .soft_limit = 1024,
          .listener_inodes = {77},
          .state = 'S'};
}

// Socket table dumps 4 s apart. A CLOSE_WAIT socket has its number for cookie and inode.
class Dumps {
 public:
  Dumps() {
    history_.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 80, 0, 128, 77)}});
    processes_ = {server()};
  }
  Dumps& process(Process process) {
    processes_ = {std::move(process)};
    return *this;
  }
  // The sockets `first` to `last` are in CLOSE_WAIT, and as many more un-accepted.
  Dumps& dump(std::uint64_t first, std::uint64_t last, std::uint32_t unaccepted = 0, std::uint16_t port = 80,
              bool is_server = true) {
    Connections connections;
    auto& owned = processes_.front().close_wait_inodes;
    owned.clear();
    for (auto number = first; number < last; ++number) {
      const auto seen = since_.try_emplace(number, history_.now()).first->second;
      const auto inode = static_cast<std::uint32_t>(number);
      connections.close_wait.push_back(
          {.port = port, .server = is_server, .cookie = number, .inode = inode, .first_seen = seen});
      if (sending_) connections.close_wait.back().sent_at = history_.now() - 1s;
      if (owners_known_) owned.push_back(inode);
    }
    std::ranges::stable_sort(connections.close_wait, {}, &CloseWait::first_seen);
    PortConnections row{.port = port, .unaccepted = unaccepted};
    if (others_each_time_) row.unaccepted_left = unaccepted;
    row.by_state[static_cast<std::size_t>(TcpState::close_wait)] =
        static_cast<std::uint32_t>(last - first) + unaccepted;
    row.by_state[static_cast<std::size_t>(TcpState::established)] = established_;
    (is_server ? connections.server : connections.client) = {row};
    if (unaccepted == 0) stands_since_ = history_.now();
    auto listener = sample_listener("0.0.0.0", 80, unaccepted, 128, 77);
    if (unaccepted > 0) listener.standing = {stands_since_, history_.now()};
    history_.set(&NetnsView::listeners, Listeners{.listeners = {std::move(listener)}});
    history_.set(&NetnsView::connections, connections)
        .set(&Snapshot::processes, Processes{.processes = processes_})
        .tick(4s);
    return *this;
  }
  // Those that are un-accepted in a dump are others than in the one before.
  Dumps& others_each_time() {
    others_each_time_ = true;
    return *this;
  }
  // As many are open and well, from the next dump on.
  Dumps& established(std::uint32_t count) {
    established_ = count;
    return *this;
  }
  // This end sends on those in CLOSE_WAIT.
  Dumps& sending() {
    sending_ = true;
    return *this;
  }
  Dumps& without_owners() {
    owners_known_ = false;
    return *this;
  }
  HistoryBuilder& builder() { return history_; }
  [[nodiscard]] const History& history() const { return history_.history(); }

 private:
  HistoryBuilder history_;
  std::vector<Process> processes_;
  std::map<std::uint64_t, TimePoint> since_;
  TimePoint stands_since_;
  std::uint32_t established_ = 0;
  bool owners_known_ = true, others_each_time_ = false, sending_ = false;
};

bool clear(std::string_view id, const Dumps& dumps) { return verdict_of(id, dumps.history()).is_clear(); }

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Ten more with each dump.
Dumps& grow(Dumps& dumps, std::uint64_t count = 10, std::uint16_t port = 80, bool is_server = true) {
  dumps.dump(0, 0, 0, port, is_server);
  for (std::uint64_t dump = 1; dump < count; ++dump) dumps.dump(0, 10 * dump, 0, port, is_server);
  return dumps;
}

Dumps leak() {
  Dumps dumps;
  return grow(dumps);
}

// `count` in CLOSE_WAIT that become neither more nor fewer.
Dumps& stand(Dumps& dumps, std::uint64_t count, int times) {
  for (int each = 0; each < times; ++each) dumps.dump(0, count);
  return dumps;
}

}  // namespace

TEST_CASE("a server that keeps what its clients have closed leaks") {
  const auto finding = only_finding(kLeak, leak().history());
  CHECK(finding.severity == Severity::warning);
  CHECK(to_string(finding.subject) == "gunicorn[812]");
  CHECK(finding.summary ==
        "gunicorn[812] keeps 70 connections on its port 80 whose peers have closed, the oldest at least 32 s "
        "ago: they stay in CLOSE_WAIT until it closes them.");
  CHECK(finding.advice[0].command == "ss -tnp state close-wait '( sport = :80 )' | head -n 20");
  CHECK(finding.advice[2].command == "systemctl restart -- app.service");
  CHECK(clear(kUnaccepted, leak()));
}

TEST_CASE("a leak that takes the last descriptors is critical and explains that they run out") {
  Dumps dumps;
  stand(dumps.process(server(900)).dump(0, 0), 600, 6);
  const auto finding = only_finding(kLeak, dumps.history());
  CHECK(finding.severity == Severity::critical);
  CHECK(has(finding.summary, "They take most of its 900 descriptors, and its limit is 1024."));
  const std::vector<Rule> rules = {rule_of(kLeak), rule_of("fd-limit-near"), rule_of("fd-limit-reached")};
  const auto diagnosis = diagnose(dumps.history(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].consequences.back() == "fd-limit-near");
}

TEST_CASE("a leak that takes the last descriptors also explains that nobody is accepted") {
  Dumps dumps;
  stand(dumps.process(server(1024)).dump(0, 0), 900, 6);
  const auto verdict = verdict_of(kLeak, dumps.history());
  REQUIRE(verdict.facts().size() == 1);
  CHECK(std::ranges::count(verdict.facts()[0].explains, "fd-limit-accept-blocked") == 1);
  const auto finding = only_finding(kLeak, dumps.history());
  const auto gains_time = [](const Advice& advice) {
    return advice.command == "prlimit --pid 812 --nofile=2048";
  };
  CHECK(std::ranges::count_if(finding.advice, gains_time) == 1);
}

TEST_CASE("a small leak does not explain that the descriptors run out") {
  Dumps dumps;
  grow(dumps.process(server(900)));
  const std::vector<Rule> rules = {rule_of(kLeak), rule_of("fd-limit-near")};
  CHECK(diagnose(dumps.history(), rules, {}).findings.size() == 2);
}

TEST_CASE("a leak that fills the descriptors is told though it does not grow any more") {
  Dumps dumps;
  stand(dumps.process(server(1024)), 900, 6);
  CHECK(only_finding(kLeak, dumps.history()).severity == Severity::critical);
}

TEST_CASE("a leak that does not grow any more is worth knowing") {
  Dumps dumps;
  for (int i = 0; i < 7; ++i) dumps.dump(0, 500);
  const auto finding = only_finding(kLeak, dumps.history());
  CHECK(finding.severity == Severity::info);
  CHECK(finding.summary.ends_with("stay in CLOSE_WAIT until it closes them."));
}

TEST_CASE("without its holder a leak is told of the listener's owner, or of the port") {
  auto dumps = Dumps().without_owners();
  grow(dumps);
  CHECK(to_string(only_finding(kLeak, dumps.history()).subject) == "gunicorn[812]");
  dumps.builder().deny(&Snapshot::processes).tick(1s);
  const auto finding = only_finding(kLeak, dumps.history());
  CHECK(to_string(finding.subject) == "0.0.0.0:80");
  CHECK(finding.summary.starts_with("A process that is not known does not close") == false);
  CHECK(has(finding.summary, "on its port 80"));
}

TEST_CASE("connections that are closed soon, a pool of a client and old ones that stay are no leak") {
  CHECK(clear(kLeak, Dumps().dump(0, 0).dump(0, 20)));
  CHECK(clear(kLeak, Dumps().dump(0, 0).dump(0, 20).dump(20, 40).dump(40, 60)));
  CHECK(clear(kLeak, Dumps().dump(0, 0).dump(0, 9).dump(0, 9).dump(0, 9)));
  CHECK(clear(kLeak, Dumps().dump(0, 500).dump(0, 500).dump(0, 500).dump(0, 500)));
  CHECK(clear(kLeak,
              Dumps().dump(0, 99).dump(0, 99).dump(0, 99).dump(0, 99).dump(0, 99).dump(0, 99).dump(0, 99)));
  CHECK(clear(kLeak, Dumps()
                         .dump(0, 0, 0, 5432, false)
                         .dump(0, 90, 0, 5432, false)
                         .dump(0, 90, 0, 5432, false)
                         .dump(0, 90, 0, 5432, false)));
}

TEST_CASE("a slow server that closes in the end does not leak") {
  Dumps dumps;
  dumps.dump(0, 0);
  for (std::uint64_t dump = 1; dump <= 12; ++dump) dumps.dump(10 * (dump < 4 ? 0 : dump - 4), 10 * dump);
  CHECK(clear(kLeak, dumps));
}

TEST_CASE("one step is no growth: batches of a slow server, each later than the one before is closed") {
  Dumps dumps;
  for (std::uint64_t batch = 0; batch < 6; ++batch) {
    const auto first = 1000 * batch;
    dumps.established(80).dump(first, first);
    for (int look = 0; look < 6; ++look) {
      dumps.established(40).dump(first, first + 40);
      CHECK(clear(kLeak, dumps));
    }
  }
}

TEST_CASE("clients of one slow batch that give up one after the other are no growth") {
  Dumps dumps;
  dumps.established(60).dump(0, 0);
  for (std::uint32_t gone = 6; gone <= 60; gone += 6) {
    dumps.established(60 - gone).dump(0, gone);
    CHECK(clear(kLeak, dumps));
  }
}

TEST_CASE("a pool that the server closes for idleness and that is used every half minute does not leak") {
  Dumps dumps;
  for (std::uint64_t use = 0; use < 8; ++use) {
    const auto first = 1000 * use;
    for (int look = 0; look < 2; ++look) dumps.established(300).dump(first, first, 0, 5432, false);
    for (int look = 0; look < 6; ++look) {
      dumps.established(0).dump(first, first + 300, 0, 5432, false);
      CHECK(clear(kLeak, dumps));
    }
  }
}

TEST_CASE(
    "a pool whose connections are closed one after the other does not leak, and is told when it stands") {
  Dumps dumps;
  dumps.established(300).dump(0, 0, 0, 5432, false);
  for (std::uint32_t closed = 10; closed <= 300; closed += 10) {
    dumps.established(300 - closed).dump(0, closed, 0, 5432, false);
    const auto verdict = verdict_of(kLeak, dumps.history());
    for (const auto& facts : verdict.facts()) CHECK(facts.severity == Severity::info);
  }
  for (int look = 0; look < 20; ++look) dumps.dump(0, 300, 0, 5432, false);
  CHECK(only_finding(kLeak, dumps.history()).severity == Severity::info);
}

TEST_CASE("a server that never closes what a fixed set of clients leaves leaks, however slowly") {
  Dumps dumps;
  dumps.established(400).dump(0, 0);
  for (std::uint32_t gone = 10; gone <= 380; gone += 10) dumps.established(400 - gone).dump(0, gone);
  CHECK(only_finding(kLeak, dumps.history()).severity == Severity::warning);
}

TEST_CASE("a leak that comes in bursts with a pause between is growth") {
  Dumps dumps;
  dumps.dump(0, 0);
  for (std::uint64_t burst = 1; burst <= 5; ++burst)
    for (int look = 0; look < 8; ++look) dumps.dump(0, 20 * burst);
  CHECK(only_finding(kLeak, dumps.history()).severity == Severity::warning);
}

TEST_CASE("connections on which the server goes on sending are served, not forgotten") {
  Dumps dumps;
  CHECK(clear(kLeak, grow(dumps.sending())));
  Dumps full;
  CHECK(clear(kLeak, stand(full.process(server(1024)).sending(), 900, 8)));
}

TEST_CASE("who holds them is learned later: the leak was known by its port before") {
  const auto finding = only_finding(kLeak, leak().history());
  CHECK(was_known_as(finding, {.kind = SubjectKind::listener, .address = "0.0.0.0", .port = 80}));
  CHECK_FALSE(was_known_as(finding, {.kind = SubjectKind::listener, .address = "0.0.0.0", .port = 81}));
  CHECK_FALSE(was_known_as(finding, {.kind = SubjectKind::destination, .port = 80}));
}

TEST_CASE("a client that leaks by the hundred is told with the port it connects to") {
  Dumps dumps;
  grow(dumps, 20, 5432, false);
  const auto finding = only_finding(kLeak, dumps.history());
  CHECK(has(finding.summary, "keeps 170 connections to port 5432 whose peers have closed"));
  CHECK(finding.advice[0].command == "ss -tnp state close-wait '( dport = :5432 )' | head -n 20");
}

TEST_CASE("a process that leaks on two ports is one finding") {
  HistoryBuilder history;
  const auto dump = [&](std::uint32_t count) {
    Connections connections;
    auto process = server();
    for (std::uint32_t i = 0; i < count; ++i) {
      connections.close_wait.push_back({.port = static_cast<std::uint16_t>(i % 3 == 0 ? 81 : 80),
                                        .server = true,
                                        .cookie = i,
                                        .inode = i + 1,
                                        .first_seen = TimePoint(1h) + 4s});
      process.close_wait_inodes.push_back(i + 1);
    }
    for (const auto port : {std::uint16_t{80}, std::uint16_t{81}}) {
      connections.server.push_back({.port = port});
      connections.server.back().by_state[static_cast<std::size_t>(TcpState::close_wait)] = count / 2;
    }
    history.set(&NetnsView::connections, connections)
        .set(&Snapshot::processes, Processes{.processes = {process}})
        .tick(4s);
  };
  for (std::uint32_t count = 0; count <= 60; count += 6) dump(count);
  const auto finding = only_finding(kLeak, history.history());
  CHECK(finding.evidence[0].value == 60);
  CHECK(has(finding.summary, "port 80"));
}

TEST_CASE("clients that give up in the queue of a server that does not accept are told") {
  auto stuck = server();
  stuck.wait_channel = "futex_wait_queue";
  Dumps dumps;
  dumps.process(stuck).dump(0, 0).dump(0, 0, 20).dump(0, 0, 20).dump(0, 0, 20);
  const auto finding = only_finding(kUnaccepted, dumps.history());
  CHECK(finding.severity == Severity::warning);
  CHECK(to_string(finding.subject) == "0.0.0.0:80");
  CHECK(finding.summary ==
        "20 clients of 0.0.0.0:80 gave up before they were accepted: they have closed, and their connections "
        "wait in the accept queue in CLOSE_WAIT; gunicorn[812] sleeps in the kernel function "
        "futex_wait_queue.");
  CHECK(clear(kLeak, dumps));
}

TEST_CASE("that clients gave up is not told before a slow server, which is the reason, would be") {
  Dumps dumps;
  dumps.dump(0, 0).dump(0, 0, 20).dump(0, 0, 20).dump(0, 0, 20);
  auto listener = sample_listener("0.0.0.0", 80, 20, 128, 77);
  for (const auto& [stands, told] : {std::pair(10s, false), std::pair(12s, true)}) {
    const auto now = dumps.builder().now();
    listener.standing = {now - stands, now};
    dumps.builder().set(&NetnsView::listeners, Listeners{.listeners = {listener}}).tick(100ms);
    CHECK(clear(kUnaccepted, dumps) == !told);
  }
}

TEST_CASE("health checks and connections that are held are not taken for clients that gave up") {
  CHECK(clear(kUnaccepted, Dumps().dump(0, 0).dump(0, 0, 20).dump(0, 0, 20)));
  CHECK(clear(kUnaccepted, Dumps().dump(0, 0, 20).dump(0, 0, 0).dump(0, 0, 20)));
  CHECK(clear(kUnaccepted, Dumps().dump(0, 0, 2).dump(0, 0, 2).dump(0, 0, 2)));
  CHECK(clear(kUnaccepted, Dumps().dump(0, 50).dump(0, 50).dump(0, 50)));
  CHECK(clear(kUnaccepted,
              Dumps().others_each_time().dump(0, 0, 20).dump(0, 0, 20).dump(0, 0, 20).dump(0, 0, 20)));
}

TEST_CASE("the rules about CLOSE_WAIT cannot tell without the connections") {
  for (const auto* id : {kLeak, kUnaccepted}) {
    INFO(id);
    auto denied = leak();
    denied.builder().deny(&NetnsView::connections).tick();
    CHECK_FALSE(verdict_of(id, denied.history()).known());
    HistoryBuilder none;
    CHECK_FALSE(verdict_of(id, none.tick().history()).known());
  }
}

TEST_CASE("sockets that the kernel has ended and the program has not closed are told") {
  auto process = server(60);
  process.closed_sockets = 30;
  Dumps dumps;
  dumps.process(process).dump(0, 0);
  const auto finding = only_finding(kClosed, dumps.history());
  CHECK(finding.summary ==
        "gunicorn[812] holds 30 TCP sockets that have no connection: the kernel has ended it, by keep-alive "
        "or a reset, or there never was one, and the program does not close() them. It has 60 descriptors "
        "open and its limit is 1024.");
  CHECK(finding.advice[0].command == "tcpdiag fds 812");
}

TEST_CASE("closed-socket-fd-leak stays clear for a few and cannot tell when none was looked at") {
  auto process = server();
  process.closed_sockets = 9;
  CHECK(clear(kClosed, Dumps().process(process).dump(0, 0)));
  process.closed_sockets.reset();
  CHECK_FALSE(verdict_of(kClosed, Dumps().process(process).dump(0, 0).history()).known());
  HistoryBuilder none;
  CHECK(verdict_of(kClosed, none.set(&Snapshot::processes, Processes{}).tick().history()).is_clear());
  CHECK_FALSE(verdict_of(kClosed, none.deny(&Snapshot::processes).tick().history()).known());
}

TEST_CASE("closed-socket-fd-leak cannot tell about processes that may not be looked into") {
  auto process = server();
  process.closed_sockets = 30;
  const auto verdict = [&](const Processes& processes) {
    HistoryBuilder history;
    return verdict_of(kClosed, history.set(&Snapshot::processes, processes).tick().history());
  };
  Processes all{.processes = {process}, .total = 90, .closed_sockets_at_most = 40};
  CHECK(verdict(all).facts().size() == 1);
  CHECK_FALSE(verdict(all).unseen());
  all.closed_sockets_denied = 1;
  CHECK(verdict(all).facts().size() == 1);
  REQUIRE(verdict(all).unseen());
  CHECK(verdict(all).unseen()->detail ==
        "/proc/PID/fd: unreadable for 1 of 90 processes (needs root, or CAP_SYS_PTRACE and "
        "CAP_DAC_READ_SEARCH)");
  all.some_hidden = true;
  CHECK(verdict(all).unseen()->detail.starts_with("/proc: hides processes"));
}

TEST_CASE("closed-socket-fd-leak is clear, whatever may be read, when the machine has few closed sockets") {
  auto process = server();
  process.closed_sockets = 0;
  HistoryBuilder history;
  const Processes few{
      .processes = {process}, .total = 90, .uncounted = 3, .some_hidden = true, .closed_sockets_at_most = 9};
  CHECK(verdict_of(kClosed, history.set(&Snapshot::processes, few).tick().history()).is_clear());
}
