// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "collectors/listeners.h"
#include "core/facts/tcp_counters.h"
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

constexpr const char* kCauses[] = {"accept-queue-app-stalled", "accept-queue-app-slow",
                                   "accept-queue-backlog-small", "accept-queue-one-listener-stuck",
                                   "fd-limit-accept-blocked"};
constexpr auto kStalled = "accept-queue-app-stalled";
constexpr auto kWaiting = "accept-queue-waiting";
constexpr auto kOwnLimit = "own-limit-reached";
constexpr auto kSlow = "accept-queue-app-slow";
constexpr auto kSmall = "accept-queue-backlog-small";

// A server on port 5000 whose queue holds 129 connections, second by second.
class Server {
 public:
  Server() : listener_(sample_listener("0.0.0.0", 5000, 0, 128, 7)) {
    listener_.drops = 0;
    tcp_.listen_overflows = 0;
    tcp_.passive_opens = 0;
    tcp_.syncookies_sent = tcp_.syncookies_received = 0;
    process_ = {.pid = 812,
                .comm = "gunicorn",
                .owner = system_unit("app.service"),
                .open_fds = 40,
                .soft_limit = 1024,
                .listener_inodes = {7}};
    history_.sysctl("net.core.somaxconn", {4096});
  }

  // Ten looks: `full` found the queue full, `empty` found it empty, and the last one found `length`.
  Server& second(int full, int empty, std::uint32_t length, std::uint64_t overflows = 0,
                 std::uint64_t opens = 0) {
    auto& fill = listener_.fill.samples;
    fill.back() += static_cast<std::uint64_t>(full);
    fill.front() += static_cast<std::uint64_t>(empty);
    fill[3] += static_cast<std::uint64_t>(10 - full - empty);
    look(full, empty, length);
    listener_.sockets.front().queue_length = length;
    *listener_.drops += overflows;
    *tcp_.listen_overflows += overflows;
    *tcp_.passive_opens += opens;
    Listeners listeners{.listeners = {listener_}};
    if (sibling_) listeners.listeners.push_back(*sibling_);
    history_.set(&NetnsView::tcp, tcp_).set(&NetnsView::listeners, std::move(listeners));
    if (second_++ % 4 == 0) {
      history_.set(&NetnsView::connections, connections_);
      auto processes = workers_;
      processes.insert(processes.begin(), process_);
      if (processes_known) history_.set(&Snapshot::processes, Processes{.processes = std::move(processes)});
    }
    history_.tick();
    return *this;
  }
  // The ten looks, the last of which found `length`: what is neither full nor empty is that long if it can
  // be.
  void look(int full, int empty, std::uint32_t length) {
    const auto limit = listener_.sockets.front().queue_limit;
    const bool ends_full = length > limit, ends_empty = length == 0;
    const std::pair<int, std::uint32_t> filled{full, limit + 1}, emptied{empty, 0},
        between{10 - full - empty, ends_full || ends_empty ? limit / 2 : length};
    const auto order = ends_full    ? std::array{emptied, between, filled}
                       : ends_empty ? std::array{filled, between, emptied}
                                    : std::array{emptied, filled, between};
    auto at = history_.now() - std::chrono::milliseconds(900);
    for (const auto& [count, found] : order)
      for (int i = 0; i < count; ++i, at += std::chrono::milliseconds(100)) look(found, limit, at);
  }
  void look(std::uint32_t length, std::uint32_t limit, TimePoint at) {
    if (cookie_ != listener_.sockets.front().cookie) full_ = standing_ = still_ = {};
    cookie_ = listener_.sockets.front().cookie;
    if (length < length_) still_.interrupt();
    length_ = length;
    listener_.full = full_.advance(length > limit, at);
    listener_.standing = standing_.advance(length > 0, at);
    listener_.still = still_.advance(length > 0, at);
  }
  Server& seconds(int count, int full, int empty, std::uint32_t length, std::uint64_t overflows = 0,
                  std::uint64_t opens = 0) {
    for (int i = 0; i < count; ++i) second(full, empty, length, overflows, opens);
    return *this;
  }
  // One more member of its SO_REUSEPORT group, as full or empty as the first one is now.
  Server& member_joins() {
    auto member = listener_.sockets.front();
    member.cookie += listener_.sockets.size();
    member.inode += static_cast<std::uint32_t>(listener_.sockets.size());
    listener_.sockets.push_back(member);
    return *this;
  }
  // Another address on the same port, which is idle.
  Server& sibling_listens() {
    sibling_ = sample_listener("::", 5000, 0, 128, 8);
    return *this;
  }
  Server& accepted_between_dumps(Count left) {
    PortConnections port{.port = 5000};
    port.unaccepted = 129;
    port.unaccepted_left = left;
    connections_.server = {port};
    return *this;
  }

  bool clear(std::string_view id) const { return verdict_of(id, history_.history()).is_clear(); }
  void only(std::string_view id) const {
    for (const auto* other : kCauses) {
      INFO(other);
      CHECK(clear(other) == (other != id));
    }
  }
  Finding finding(std::string_view id) const { return only_finding(id, history_.history()); }
  bool known(std::string_view id) const { return verdict_of(id, history_.history()).known(); }

  Listener listener_;
  std::optional<Listener> sibling_;
  TcpCounters tcp_;
  Process process_;
  std::vector<Process> workers_;
  Connections connections_;
  HistoryBuilder history_;
  RunFollower full_, standing_, still_;
  std::uint64_t cookie_ = 0;
  std::uint32_t length_ = 0;
  bool processes_known = true;
  int second_ = 0;
};

}  // namespace

TEST_CASE("a queue that overflows and drains again is too small for bursts") {
  Server server;
  server.seconds(5, 0, 10, 0).second(4, 3, 60, 300, 200).second(6, 2, 10, 92, 200).seconds(3, 0, 10, 0);
  server.only("accept-queue-backlog-small");
  const auto finding = server.finding("accept-queue-backlog-small");
  CHECK(to_string(finding.subject) == "0.0.0.0:5000");
  CHECK(finding.subject.process == "gunicorn");
  CHECK(finding.summary ==
        "Bursts of connections to 0.0.0.0:5000 (gunicorn[812]) do not fit into its accept queue of 128: 392 "
        "attempts were turned away in 9 s, and the queue was emptied again; that is what the server asked "
        "for; net.core.somaxconn is 4096.");
  REQUIRE(finding.bites);
  CHECK(finding.bites->limit == "listen backlog");
  CHECK(finding.bites->value == 128);
  CHECK(finding.bites->ceiling_value == 4096);
  REQUIRE(finding.advice.size() >= 2);
  CHECK(finding.advice.front().action ==
        "Raise the backlog of gunicorn from 128 to 1024: gunicorn --backlog 1024.");
  for (const auto& advice : finding.advice) CHECK(advice.command.find("somaxconn") == std::string::npos);
}

TEST_CASE("a limit that is somaxconn's is named as such, and somaxconn is raised first") {
  Server server;
  server.history_.sysctl("net.core.somaxconn", {128});
  server.seconds(5, 0, 10, 0).second(4, 3, 60, 300, 200).seconds(3, 0, 10, 0);
  const auto finding = server.finding("accept-queue-backlog-small");
  CHECK(finding.summary.ends_with("net.core.somaxconn caps it."));
  REQUIRE(finding.advice.size() == 4);
  CHECK(finding.advice[0].command == "sysctl -w net.core.somaxconn=4096");
  CHECK(finding.advice[1].command == "systemctl restart -- app.service");
  CHECK(finding.advice[2].action ==
        "If the limit is still 128, raise the backlog of gunicorn as well: gunicorn --backlog 1024.");
  CHECK(finding.advice[3].command == "echo 'net.core.somaxconn = 4096' > /etc/sysctl.d/zz-somaxconn.conf");
}

TEST_CASE("sysctl.d is not advised for a listener of another namespace, which it does not reach") {
  Server server;
  server.history_.snapshot().namespaces.front().name = "blue";
  server.history_.sysctl("net.core.somaxconn", {128});
  server.seconds(5, 0, 10, 0).second(4, 3, 60, 300, 200).seconds(3, 0, 10, 0);
  const auto finding = server.finding("accept-queue-backlog-small");
  REQUIRE_FALSE(finding.advice.empty());
  CHECK(finding.advice[0].command == "ip netns exec blue sysctl -w net.core.somaxconn=4096");
  for (const auto& advice : finding.advice) CHECK(advice.command.find("sysctl.d") == std::string::npos);
}

TEST_CASE("a burst that fits into the queue, an idle listener and old counters are no finding") {
  Server spike;
  spike.seconds(5, 0, 10, 0).second(0, 2, 100, 0, 300).seconds(3, 0, 10, 0);
  Server idle;
  idle.seconds(10, 0, 10, 0);
  Server old;
  old.listener_.drops = 5000;
  old.tcp_.listen_overflows = 5000;
  old.listener_.fill.samples.back() = 900;
  old.seconds(10, 0, 10, 0);
  for (const auto* server : {&spike, &idle, &old}) server->only("none");
}

TEST_CASE("a full queue from which nothing is taken is a stalled application") {
  Server server;
  server.process_.state = 'S';
  server.process_.wait_channel = "futex_wait_queue";
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 100, 129).seconds(5, 10, 0, 129, 20);
  server.only("accept-queue-app-stalled");
  const auto finding = server.finding("accept-queue-app-stalled");
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.summary ==
        "gunicorn[812] has accepted nothing on 0.0.0.0:5000 for 5 s: its accept queue is full with 129 "
        "connections and 200 further attempts were turned away in 10 s; it sleeps in the kernel function "
        "futex_wait_queue.");
}

TEST_CASE("of a server with workers it is told what they do, and one of them is looked at") {
  Server server;
  server.process_.state = 'S';
  server.process_.wait_channel = "do_select";
  for (const auto pid : {813, 814, 815}) {
    auto worker = server.process_;
    worker.pid = pid;
    worker.start_ticks = 5;
    worker.wait_channel = pid == 813 ? "ep_poll" : "futex_wait_queue";
    server.workers_.push_back(worker);
  }
  const auto text = [](Server with) {
    with.seconds(5, 0, 10, 0).second(9, 1, 129, 100, 129).seconds(5, 10, 0, 129, 20);
    const auto finding = with.finding("accept-queue-app-stalled");
    REQUIRE(finding.subject.pid == 812);
    return finding.summary.substr(finding.summary.rfind("; ")) + " " + finding.advice[1].command;
  };
  CHECK(text(server) ==
        "; 2 of its 3 workers, such as pid 814, sleep in the kernel function futex_wait_queue. gdb -p 814 "
        "-batch -ex 'thread apply all bt'");
  server.workers_.erase(server.workers_.begin());
  CHECK_THAT(text(server),
             ContainsSubstring("; its 2 workers all sleep in the kernel function futex_wait_queue."));
  server.workers_.pop_back();
  CHECK_THAT(text(server), ContainsSubstring("; its worker, pid 814, sleeps in the kernel function"));
}

TEST_CASE("after a restart, or listen() with another backlog, the old queue's overflows are the past") {
  Server restarted;
  restarted.seconds(5, 0, 10, 0).second(4, 3, 60, 300, 200).seconds(2, 0, 10, 0);
  restarted.listener_.sockets.front().cookie += 1;
  restarted.seconds(3, 0, 10, 0).only("none");
  Server larger;
  larger.seconds(5, 0, 10, 0).second(4, 3, 60, 300, 200).seconds(2, 0, 10, 0);
  larger.listener_.sockets.front().queue_limit = 1024;
  larger.seconds(3, 0, 10, 0).only("none");
  larger.second(4, 3, 60, 300, 200).seconds(3, 0, 10, 0);
  CHECK_THAT(larger.finding("accept-queue-backlog-small").summary,
             ContainsSubstring("accept queue of 1024: 300 attempts"));
}

TEST_CASE("what a slow application turned away is not called a burst afterwards") {
  Server server;
  server.accepted_between_dumps(50).seconds(5, 0, 10, 0).seconds(12, 5, 0, 129, 20, 30);
  server.second(2, 6, 0, 5, 50).seconds(8, 0, 10, 0);
  server.only("none");
}

TEST_CASE("a second in which nobody looked does not end a stall") {
  Server server;
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 100, 129).seconds(5, 10, 0, 129, 20);
  server.history_.tick(std::chrono::seconds(3));
  server.history_.tick();
  server.only("accept-queue-app-stalled");
  server.second(10, 0, 129).only("accept-queue-app-stalled");
}

TEST_CASE("where two addresses share the port, nothing taken from either is a stall, too") {
  Server server;
  server.accepted_between_dumps(0).sibling_listens();
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129).seconds(9, 10, 0, 129, 20, 30);
  server.only("accept-queue-app-stalled");
}

TEST_CASE("a server that is stopped accepts nothing, whatever others on the port do, and is to go on") {
  Server server;
  server.process_.state = 'T';
  server.accepted_between_dumps(50).sibling_listens();
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129).seconds(9, 10, 0, 129, 20, 30);
  server.only("accept-queue-app-stalled");
  CHECK(server.finding("accept-queue-app-stalled").advice.front().command == "kill -CONT 812");
}

TEST_CASE("a stall is told with all of its time, and one that was there before the first look with more") {
  Server server;
  server.seconds(40, 10, 0, 129, 20);
  CHECK_THAT(server.finding(kStalled).summary, ContainsSubstring("for 39 s: "));
  Server older;
  older.listener_.fill = {};
  older.seconds(40, 10, 0, 129, 20);
  CHECK_THAT(older.finding(kStalled).summary, ContainsSubstring("for over 39 s: "));
}

TEST_CASE("a stalled application is named within five seconds") {
  Server server;
  server.seconds(8, 0, 10, 0).second(9, 1, 129, 100, 129).seconds(3, 10, 0, 129, 20);
  server.only("accept-queue-app-stalled");
}

TEST_CASE("what a stall turned away is not called a burst afterwards") {
  Server server;
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 100, 129).seconds(5, 10, 0, 129, 20);
  server.second(2, 6, 0, 5, 50).seconds(5, 0, 10, 0);
  server.only("none");
}

TEST_CASE("whether it is a stall or a burst is the same wherever the seconds begin, also when it is over") {
  // Full for three seconds and a half, from each tenth of a second on; then the clients that wait get in.
  for (int begin = 1; begin < 10; ++begin) {
    INFO(begin);
    Server server;
    server.seconds(7, 0, 10, 0).second(begin, 10 - begin, 129, 100, 129);
    bool stalled = false;
    for (int left = 35 - begin; left >= 0; left -= 10) {
      const int full = std::min(left, 10);
      server.second(full, 10 - full, full == 10 ? 129 : 0, full == 10 ? 40 : 0, full == 10 ? 0 : 129);
      stalled = stalled || !server.clear(kStalled);
    }
    CHECK(server.clear(kSmall));
    CHECK(stalled);
    server.seconds(3, 0, 10, 0);
    CHECK(server.clear(kStalled));
    CHECK(server.clear(kSmall));
  }
}

TEST_CASE("a stall that is just over is told as one") {
  Server server;
  server.seconds(7, 0, 10, 0).second(9, 1, 129, 100, 129).seconds(3, 10, 0, 129, 40).second(1, 9, 0, 0, 129);
  const auto finding = server.finding(kStalled);
  CHECK_THAT(finding.summary, StartsWith("gunicorn[812] had accepted nothing on 0.0.0.0:5000 for 3 s until a "
                                         "moment ago: its accept queue was full with 129 connections and "));
  CHECK(finding.advice.size() == 1);  // what it waited for cannot be seen any more
}

TEST_CASE("clients that were turned away by a stall try again for a minute, and are no burst then") {
  Server server;
  server.seconds(7, 0, 10, 0).second(9, 1, 129, 100, 129).seconds(5, 10, 0, 129, 40).seconds(30, 0, 10, 0);
  server.second(4, 3, 60, 80, 100).seconds(2, 0, 10, 0);
  CHECK(server.clear(kSmall));
  server.seconds(60, 0, 10, 0).second(4, 3, 60, 80, 100).seconds(2, 0, 10, 0);
  CHECK_FALSE(server.clear(kSmall));
}

TEST_CASE("connections that wait while none is accepted are named however far the queue is from full") {
  Server server;
  server.process_.state = 'S';
  server.process_.wait_channel = "wait_woken";
  server.seconds(6, 0, 10, 0).second(0, 0, 40, 0, 40).seconds(3, 0, 0, 40);
  server.only("none");
  const auto finding = server.finding(kWaiting);
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.summary ==
        "gunicorn[812] has accepted nothing on 0.0.0.0:5000 for 3 s; 40 connections wait (there is room for "
        "129); it sleeps in the kernel function wait_woken.");
  CHECK(finding.advice.front().command == "cat /proc/812/stack /proc/812/wchan; ls /proc/812/task | wc -l");
}

TEST_CASE("of a queue that stands since the first look, a moment ago, it cannot be told yet") {
  Server server;
  server.seconds(2, 0, 0, 40);
  const auto& rule = rule_of(kWaiting);
  const auto early = rule.evaluate(Window(server.history_.history(), NetnsId::host, rule.lookback), {});
  REQUIRE_FALSE(early.known());
  CHECK(early.why().code == Errc::too_early);
  server.seconds(3, 0, 0, 40);
  CHECK_FALSE(server.clear(kWaiting));
  Server watched_for_longer;
  watched_for_longer.seconds(5, 0, 10, 0).seconds(2, 0, 0, 40);
  CHECK(watched_for_longer.clear(kWaiting));
}

TEST_CASE("for how long the first connection waits is told where the kernel says it") {
  Server server;
  PortConnections port{.port = 5000};
  port.unaccepted = 40;
  port.unaccepted_left = 0;
  port.unaccepted_longest = std::chrono::seconds(47);
  server.connections_.server = {port};
  server.seconds(6, 0, 0, 40);
  CHECK_THAT(server.finding(kWaiting).summary,
             ContainsSubstring("; 40 connections wait (there is room for 129), the first for 48 s."));
}

TEST_CASE("a hung server whose queue is full is named at once, whether or not anybody is turned away") {
  Server server;
  server.seconds(5, 10, 0, 129);
  server.only(kStalled);
  const std::vector<Rule> rules = {rule_of(kStalled), rule_of(kWaiting)};
  const auto diagnosis = diagnose(server.history_.history(), rules, {});
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].id == kStalled);
}

TEST_CASE("a server that takes connections from its queue now and then is not told to stand still") {
  Server idle;
  idle.seconds(20, 0, 10, 0);
  Server busy;  // someone waits at every look, one is accepted every second and one comes
  for (int i = 0; i < 20; ++i) busy.second(0, 0, i % 2 == 0 ? 5 : 4, 0, 1);
  Server pausing;  // it took something out of a queue that is not empty, and pauses for four seconds
  pausing.seconds(3, 0, 0, 9, 0, 0).second(0, 0, 8);
  Server between;  // one in and one out between two looks: nothing gets shorter
  between.accepted_between_dumps(3).seconds(20, 0, 0, 40, 0, 5);
  for (const auto* server : {&idle, &busy, &between}) CHECK(server->clear(kWaiting));
  for (int i = 0; i < 4; ++i) {
    CHECK(pausing.clear(kWaiting));
    pausing.second(0, 0, 8);
  }
  pausing.seconds(8, 0, 0, 8);
  CHECK_FALSE(pausing.clear(kWaiting));
}

TEST_CASE("a server that has paused before is given twice that time") {
  Server server;  // a request of two and a half seconds at a time
  server.seconds(3, 0, 10, 0).seconds(2, 0, 0, 1, 0, 0).second(0, 5, 0).seconds(4, 0, 0, 1);
  CHECK(server.clear(kWaiting));
  server.seconds(4, 0, 0, 1);
  CHECK_FALSE(server.clear(kWaiting));
}

TEST_CASE("a service that systemd is starting for the first connection has ten seconds") {
  Server server;
  server.process_.comm = "systemd";
  server.seconds(3, 0, 10, 0).seconds(8, 0, 0, 1);
  CHECK(server.clear(kWaiting));
  server.seconds(4, 0, 0, 1);
  CHECK_FALSE(server.clear(kWaiting));
}

TEST_CASE(
    "while it is not known whether anything is accepted nothing is said, and then that one cannot tell") {
  Server server;
  server.accepted_between_dumps(std::nullopt).seconds(5, 0, 0, 40, 0, 5);
  CHECK(server.clear(kWaiting));
  server.seconds(4, 0, 0, 40, 0, 5);
  CHECK_FALSE(server.known(kWaiting));
}

TEST_CASE("that connections wait in vain is said also when it is not known for whom") {
  Server server;
  server.processes_known = false;
  server.seconds(5, 0, 0, 40);
  CHECK(server.clear(kWaiting));
  server.seconds(7, 0, 0, 40);
  CHECK_THAT(server.finding(kWaiting).summary, StartsWith("The application has accepted nothing on"));
}

TEST_CASE("a server without descriptors is blocked, and not only waited for") {
  Server server;
  server.process_.open_fds = server.process_.soft_limit = 64;
  server.seconds(6, 0, 0, 14);
  CHECK(server.clear(kWaiting));
}

namespace {

// haproxy with 30 connections, which waits for events while others wait for it.
Server at_own_limit() {
  Server server;
  server.process_.comm = "haproxy";
  server.process_.state = 'S';
  server.process_.wait_channel = "ep_poll";
  PortConnections port{.port = 5000};
  port.unaccepted = 40;
  port.unaccepted_left = 0;
  port.by_state[static_cast<std::size_t>(TcpState::established)] = 70;
  server.connections_.server = {port};
  return server;
}

}  // namespace

TEST_CASE("of queues that were looked at long ago nothing is known") {
  Server server;
  server.seconds(6, 0, 10, 0);
  CHECK(server.known(kStalled));
  server.history_.ticks(16);
  for (const auto* id : {kStalled, kWaiting, kOwnLimit, kSlow}) CHECK_FALSE(server.known(id));
}

TEST_CASE("a known server with a steady number of connections that waits for events is at its own limit") {
  auto server = at_own_limit();
  server.seconds(4, 0, 10, 0).seconds(7, 0, 0, 40);
  CHECK(server.clear(kWaiting));
  const auto finding = server.finding(kOwnLimit);
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.summary ==
        "haproxy[812] has most likely reached its own connection limit: the number of accepted connections "
        "has stayed at exactly 30 and it is waiting for events, while 40 more wait in the accept queue of "
        "0.0.0.0:5000 and none has been accepted for 6 s. The limit is set by maxconn in the global section "
        "and of the frontend in haproxy.cfg.");
  for (const auto& advice : finding.advice) {
    CHECK(advice.command.find("gdb") == std::string::npos);
    CHECK(advice.command.find("restart") == std::string::npos);
  }
}

TEST_CASE("at its own limit with a full queue everybody is turned away") {
  auto server = at_own_limit();
  server.seconds(4, 0, 10, 0).seconds(10, 10, 0, 129, 20);
  CHECK(server.clear(kStalled));
  CHECK(server.finding(kOwnLimit).severity == Severity::critical);
}

TEST_CASE(
    "a server whose connections come and go, or that waits for something else, is at no limit of its own") {
  const auto by = GENERATE(0, 1, 2);
  auto server = at_own_limit();
  if (by == 0) server.process_.wait_channel = "futex_do_wait";
  if (by == 1) server.process_.comm = "my-own-server";
  if (by == 2) server.connections_.server[0].by_state[static_cast<std::size_t>(TcpState::established)] = 40;
  server.seconds(4, 0, 10, 0).seconds(10, 0, 0, 40);
  CHECK(server.clear(kOwnLimit));
  CHECK_FALSE(server.clear(kWaiting));
}

TEST_CASE(
    "a known server that has accepted nothing at all is at no limit of its own, from the first dump on") {
  auto server = at_own_limit();
  server.connections_.server[0].by_state[static_cast<std::size_t>(TcpState::established)] = 40;
  server.seconds(3, 0, 10, 0).seconds(4, 0, 0, 40);
  CHECK_FALSE(server.clear(kWaiting));
}

TEST_CASE(
    "a program that waits for events with a steady number of connections may be at a limit of its own") {
  auto server = at_own_limit();
  server.process_.comm = "my-own-server";
  server.seconds(4, 0, 10, 0).seconds(7, 0, 0, 40);
  const auto finding = server.finding(kWaiting);
  CHECK_THAT(
      finding.summary,
      EndsWith(
          "; the number of accepted connections stays at exactly 30, which suggests a configured limit."));
  CHECK_THAT(finding.advice.front().action,
             StartsWith("Check whether my-own-server is configured to allow only 30 connections: "));
}

TEST_CASE("of a server with workers the one that hangs is looked at, not one that waits for events") {
  Server server;
  server.process_.state = 'S';
  server.process_.wait_channel = "do_sys_poll";
  auto worker = server.process_;
  worker.start_ticks = 5;
  for (const auto& [pid, channel] :
       {std::pair(813, "ep_poll"), std::pair(814, "wait_woken"), std::pair(815, "ep_poll")}) {
    worker.pid = pid;
    worker.wait_channel = channel;
    server.workers_.push_back(worker);
  }
  server.seconds(6, 0, 0, 40);
  const auto finding = server.finding(kWaiting);
  CHECK_THAT(finding.summary,
             EndsWith("; one of its 3 workers, pid 814, sleeps in the kernel function wait_woken."));
  CHECK(finding.advice.front().action.starts_with("Find out what gunicorn[814] is waiting for"));
}

TEST_CASE("a worker that is busy is asked what it does, not what it waits for") {
  Server server;
  server.process_.state = 'R';
  server.seconds(6, 0, 0, 40);
  const auto finding = server.finding(kWaiting);
  CHECK(finding.advice[0].command == "perf top -p 812");
  CHECK(finding.advice[1].command == "top -H -p 812");
  for (const auto& advice : finding.advice) CHECK(advice.action.find("waiting for") == std::string::npos);
}

TEST_CASE("a server that accepts one connection now and then is slow, however far its queue is from full") {
  Server server;
  PortConnections port{.port = 5000};
  port.unaccepted = 40;
  port.unaccepted_longest = std::chrono::seconds(60);
  server.connections_.server = {port};
  server.seconds(4, 0, 10, 0);
  std::uint32_t waiting = 60;
  for (int each = 0; each < 6; ++each) {
    --waiting;
    server.second(0, 0, waiting).seconds(3, 0, 0, waiting);
  }
  const auto finding = server.finding(kSlow);
  CHECK_THAT(
      finding.summary,
      ContainsSubstring("has not been empty for 23 s, 54 connections wait in it, the first for 60 s."));
  CHECK(finding.severity == Severity::warning);
  CHECK(server.clear(kWaiting));
}

TEST_CASE(
    "a queue that always holds somebody, and nobody for long, is not slow, however old the last dump is") {
  for (const auto longest : {50ms, 9000ms}) {
    Server server;
    PortConnections port{.port = 5000};
    port.unaccepted = 4;
    port.unaccepted_longest = longest;
    server.connections_.server = {port};
    server.seconds(4, 0, 10, 0);
    for (std::uint32_t each = 0; each < 30; ++each) server.second(0, 0, 4 + each % 2, 0, 9);
    CHECK(server.clear(kSlow));
  }
  Server server;  // the first had waited for long, at a dump that was made long ago
  PortConnections port{.port = 5000};
  port.unaccepted_longest = 60s;
  server.connections_.server = {port};
  server.seconds(4, 0, 10, 0).seconds(2, 0, 0, 4);
  server.second_ = 1;  // no further dump
  for (std::uint32_t each = 0; each < 15; ++each) {
    server.second(0, 0, 4 + each % 2, 0, 9);
    server.second_ = 1;
  }
  CHECK(server.clear(kSlow));
}

TEST_CASE("a server that has taken nothing since the first one came has stopped, which is not slow") {
  Server server;
  PortConnections port{.port = 5000};
  port.unaccepted = 40;
  server.connections_.server = {port};
  server.seconds(4, 0, 10, 0).second(0, 0, 45).seconds(7, 0, 0, 40);
  server.connections_.server[0].unaccepted_longest = std::chrono::milliseconds(10'200);
  server.seconds(3, 0, 0, 40);  // it has stood for 10 s, and nothing was taken for a little less
  CHECK(server.clear(kSlow));
}

TEST_CASE("a server that catches up after a standstill is not slow") {
  Server server;
  PortConnections port{.port = 5000};
  port.unaccepted = 40;
  port.unaccepted_longest = std::chrono::seconds(30);
  server.connections_.server = {port};
  server.seconds(4, 0, 10, 0).seconds(30, 0, 0, 100);
  CHECK_FALSE(server.clear(kWaiting));
  for (std::uint32_t waiting = 90; waiting > 10; waiting -= 10) server.second(0, 0, waiting);
  CHECK(server.clear(kSlow));
  CHECK(server.clear(kWaiting));
}

TEST_CASE("a slow server is told with what it does, and one that sleeps is not sought among the busy") {
  Server server;
  server.process_.state = 'S';
  server.process_.wait_channel = "hrtimer_nanosleep";
  server.accepted_between_dumps(50).seconds(5, 0, 10, 0).seconds(12, 5, 0, 129, 20, 30);
  const auto finding = server.finding(kSlow);
  CHECK_THAT(finding.summary, EndsWith("; it sleeps in the kernel function hrtimer_nanosleep."));
  for (const auto& advice : finding.advice) CHECK(advice.command.find("top") == std::string::npos);
}

TEST_CASE("a slow server that turns most clients away is critical at once") {
  Server server;
  server.accepted_between_dumps(5).seconds(5, 0, 10, 0).seconds(12, 5, 0, 129, 90, 3);
  CHECK(server.finding(kSlow).severity == Severity::critical);
}

TEST_CASE("of workers that all hold every member of a group the one that is stopped is the stuck one") {
  Server server;
  server.process_.comm = "nginx";
  server.process_.state = 'S';
  server.process_.wait_channel = "sigsuspend";
  server.process_.listener_inodes = {7, 8};
  auto worker = server.process_;
  worker.start_ticks = 5;
  for (const auto pid : {813, 814}) {
    worker.pid = pid;
    worker.state = pid == 814 ? 'T' : 'S';
    worker.wait_channel = pid == 814 ? "do_signal_stop" : "ep_poll";
    server.workers_.push_back(worker);
  }
  auto sibling = server.listener_.sockets.front();
  sibling.cookie += 1;
  sibling.inode = 8;
  server.listener_.sockets.push_back(sibling);
  server.accepted_between_dumps(0).seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129);
  server.seconds(9, 10, 0, 129, 10, 40);
  const auto finding = server.finding("accept-queue-one-listener-stuck");
  CHECK(finding.subject.pid == 814);
  CHECK_THAT(finding.summary,
             EndsWith("It belongs to nginx[814]; it is stopped (by SIGSTOP or a debugger)."));
  std::string commands;
  for (const auto& advice : finding.advice) commands += advice.command + "\n";
  CHECK_THAT(commands, StartsWith("kill -CONT 814\n") && ContainsSubstring("kill -KILL 814\n"));
}

TEST_CASE("no worker is to be killed when it is not known which one is stuck") {
  Server server;
  auto sibling = server.listener_.sockets.front();
  sibling.cookie += 1;
  sibling.inode = 8;
  server.listener_.sockets.push_back(sibling);
  server.process_.listener_inodes = {7, 8};
  server.accepted_between_dumps(0).seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129);
  server.seconds(9, 10, 0, 129, 10, 40);
  for (const auto& advice : server.finding("accept-queue-one-listener-stuck").advice)
    CHECK_FALSE(advice.command.starts_with("kill"));
}

TEST_CASE("a full queue from which connections are taken all the time is a slow application") {
  Server server;
  server.accepted_between_dumps(50).seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129);
  server.seconds(5, 10, 0, 129, 20, 30);
  for (const auto* id : kCauses) CHECK((!server.known(id) || server.clear(id)));  // it may still be a burst
  server.seconds(7, 10, 0, 129, 20, 30);
  server.only("accept-queue-app-slow");
  CHECK(server.finding("accept-queue-app-slow").severity == Severity::warning);
}

TEST_CASE("while others in the namespace accept, the dumps tell that this queue stands still") {
  Server server;
  server.accepted_between_dumps(0).seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129);
  server.seconds(9, 10, 0, 129, 20, 30);
  server.only("accept-queue-app-stalled");
}

TEST_CASE("a full queue cannot be judged while it is not known whether anything is taken from it") {
  Server server;
  server.accepted_between_dumps(std::nullopt).seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129);
  server.seconds(12, 10, 0, 129, 20, 30);
  CHECK_FALSE(server.known("accept-queue-app-stalled"));
  CHECK_FALSE(server.known("accept-queue-app-slow"));
}

TEST_CASE("a server out of descriptors is blocked, whether or not its queue is full") {
  const auto length = GENERATE(14U, 129U);
  Server server;
  server.process_.open_fds = 64;
  server.process_.soft_limit = 64;
  const int full = length == 129 ? 10 : 0;
  server.seconds(5, 0, 10, 0).seconds(5, full, 0, length, length == 129 ? 30 : 0);
  const auto finding = server.finding("fd-limit-accept-blocked");
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.subject.pid == 812);
  REQUIRE(finding.bites);
  CHECK(finding.bites->limit == "RLIMIT_NOFILE");
  CHECK(finding.bites->value == 64);
  CHECK(server.clear("accept-queue-app-stalled"));
  CHECK(server.clear("accept-queue-backlog-small"));
}

TEST_CASE("the summary of a blocked server holds the numbers") {
  Server server;
  server.process_.open_fds = 64;
  server.process_.soft_limit = 64;
  server.seconds(5, 0, 10, 0).seconds(5, 0, 0, 14);
  CHECK(server.finding("fd-limit-accept-blocked").summary ==
        "gunicorn[812] cannot accept: it has 64 open descriptors and its limit is 64, so 14 connections wait "
        "in the accept queue of 0.0.0.0:5000.");
}

TEST_CASE("whether a server is out of descriptors cannot be told when its owner is not known") {
  Server server;
  server.processes_known = false;
  server.seconds(5, 0, 10, 0).seconds(5, 0, 0, 14);
  CHECK_FALSE(server.known("fd-limit-accept-blocked"));
  Server empty;
  empty.processes_known = false;
  empty.seconds(10, 0, 10, 0);
  CHECK(empty.clear("fd-limit-accept-blocked"));  // nobody waits: nothing to be told
}

TEST_CASE("one member of a group that is full while its siblings are not is the stuck one") {
  Server server;
  server.accepted_between_dumps(0);
  auto sibling = server.listener_.sockets.front();
  sibling.cookie += 1;
  sibling.inode = 8;
  server.listener_.sockets.push_back(sibling);
  server.listener_.sockets.push_back(sibling);
  server.listener_.sockets.back().cookie += 1;
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129).seconds(9, 10, 0, 129, 10, 40);
  server.only("accept-queue-one-listener-stuck");
  const auto finding = server.finding("accept-queue-one-listener-stuck");
  CHECK(finding.summary ==
        "1 of the 3 listeners that share 0.0.0.0:5000 accepts nothing: a queue of 128 has been full for 9 s "
        "while the others are served, and 100 connection attempts were turned away in 14 s. It belongs to "
        "gunicorn[812].");
}

TEST_CASE("the accept queue rules cannot tell without the listeners, nor the burst's without its counter") {
  for (const auto* id : kCauses) {
    INFO(id);
    Server server;
    server.seconds(5, 0, 10, 0).second(4, 3, 60, 300, 200).seconds(3, 0, 10, 0);
    server.history_.deny(&NetnsView::listeners).tick();
    CHECK_FALSE(server.known(id));
  }
  Server denied;
  denied.seconds(5, 0, 10, 0).second(4, 3, 60, 300, 200);
  denied.history_.deny(&NetnsView::tcp).tick();
  CHECK_FALSE(denied.known("accept-queue-backlog-small"));
  Server reset;
  reset.tcp_.listen_overflows = 500;
  reset.seconds(5, 0, 10, 0);
  reset.tcp_.listen_overflows = 0;
  reset.second(4, 3, 60, 3, 200);
  CHECK_FALSE(reset.known("accept-queue-backlog-small"));
}

TEST_CASE("on a kernel that does not count a listener's drops its full queue is enough") {
  Server server;
  server.seconds(5, 0, 10, 0);
  server.listener_.drops.reset();
  server.tcp_.listen_overflows = 300;
  server.listener_.fill.samples.back() += 4;
  server.listener_.fill.samples.front() += 6;
  server.history_.set(&NetnsView::tcp, server.tcp_)
      .set(&NetnsView::listeners, Listeners{.listeners = {server.listener_}})
      .ticks(2);
  CHECK(server.finding("accept-queue-backlog-small").evidence.size() >= 3);
}

TEST_CASE("members that are full at every look and yet accept are slow, not stuck") {
  Server server;
  server.accepted_between_dumps(40).member_joins();
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129).seconds(12, 10, 0, 129, 10, 40);
  server.only("accept-queue-app-slow");  // 40 were taken: more than waited at the other one
}

TEST_CASE("a member is not stuck beside others that are nearly full") {
  Server server;
  server.accepted_between_dumps(0).member_joins();
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129);
  server.listener_.sockets.back().queue_length = 120;
  server.seconds(5, 10, 0, 129, 10, 40);
  CHECK(server.clear("accept-queue-one-listener-stuck"));
}

TEST_CASE("whether a member of a group is stuck cannot be told without the dumps, unless it is stopped") {
  Server server;
  server.member_joins();
  const auto stuck = [&] { server.second(9, 1, 129, 10, 129).seconds(5, 10, 0, 129, 10, 40); };
  server.seconds(5, 0, 10, 0);
  SECTION("no dump tells") {
    stuck();
    CHECK_FALSE(server.known("accept-queue-one-listener-stuck"));
  }
  SECTION("it is stopped") {
    server.process_.state = 'T';
    stuck();
    CHECK(server.finding("accept-queue-one-listener-stuck").subject.pid == 812);
  }
}

TEST_CASE("what was taken from a full queue a moment ago is slow before it is called a stall") {
  Server server;
  server.accepted_between_dumps(0).seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129);
  server.seconds(3, 10, 0, 129, 10).second(9, 0, 129, 10, 1).seconds(4, 10, 0, 129, 10);
  CHECK(server.clear("accept-queue-app-stalled"));
  server.seconds(8, 10, 0, 129, 10);
  CHECK_FALSE(server.clear("accept-queue-app-stalled"));
}

TEST_CASE("three of four members that do not accept are as stuck as one") {
  Server server;
  server.accepted_between_dumps(0);
  const auto member = server.listener_.sockets.front();
  for (std::uint64_t i = 1; i < 4; ++i) {
    server.listener_.sockets.push_back(member);
    server.listener_.sockets.back().cookie += i;
  }
  server.seconds(5, 0, 10, 0);
  for (std::size_t i = 1; i < 3; ++i) server.listener_.sockets[i].queue_length = 129;
  server.seconds(9, 10, 0, 129, 10, 40);
  CHECK(server.finding("accept-queue-one-listener-stuck")
            .summary.starts_with("3 of the 4 listeners that share"));
}

TEST_CASE("listeners that overflow together between two looks are each told by what they dropped") {
  Server server;
  server.tcp_.listen_drops = 0;
  server.seconds(5, 0, 10, 0);
  *server.tcp_.listen_overflows += 400;  // of which 20 are this one's
  *server.tcp_.listen_drops += 400;
  SECTION("all that was dropped was overflow") {
    *server.listener_.drops += 20;
    server.seconds(3, 0, 10, 0);
    CHECK(server.finding("accept-queue-backlog-small").summary.find(": 20 attempts") != std::string::npos);
  }
  SECTION("as much was dropped for another reason") {
    *server.tcp_.listen_drops += 20;
    *server.listener_.drops += 20;
    server.seconds(3, 0, 10, 0);
    server.only("none");
  }
}

TEST_CASE("what another listener turned away is not this one's doing") {
  Server server;
  server.seconds(5, 0, 10, 0).second(5, 5, 60);
  *server.tcp_.listen_overflows += 500;  // the listener itself drops nothing
  server.seconds(3, 0, 10, 0);
  server.only("none");
}

TEST_CASE("a small queue that is full again and again and never empty is too little capacity, not a burst") {
  Server server;
  server.accepted_between_dumps(20).seconds(5, 0, 10, 0).seconds(12, 4, 0, 100, 20, 30);
  server.only("accept-queue-app-slow");
}

TEST_CASE("a client that resets while it waits makes no room, and is not taken for an accepted connection") {
  Server server;
  PortConnections port{.port = 5000};
  port.unaccepted = 129;
  port.unaccepted_left = 0;
  server.connections_.server = {port};
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 10, 129).seconds(3, 10, 0, 129, 20, 30);
  server.connections_.server.front().unaccepted = 128;
  server.connections_.server.front().unaccepted_left = 1;
  server.seconds(6, 10, 0, 129, 20, 30);
  server.only("accept-queue-app-stalled");
}

TEST_CASE("a stalled server whose owner is not known may be out of descriptors instead") {
  Server server;
  server.processes_known = false;
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 100, 129).seconds(12, 10, 0, 129, 20);
  CHECK_FALSE(server.known("accept-queue-app-stalled"));
}

TEST_CASE(
    "of two queues in which connections wait, the one whose owner is not known hides nothing of the other") {
  HistoryBuilder history;
  const Process owner{.pid = 812,
                      .start_ticks = 5,
                      .comm = "gunicorn",
                      .open_fds = 64,
                      .soft_limit = 64,
                      .listener_inodes = {77}};
  history.set(&Snapshot::processes, Processes{.processes = {owner}, .total = 90})
      .set(&NetnsView::connections, Connections{});
  auto known = sample_listener("0.0.0.0", 8000, 9, 128, 77);
  auto unknown = sample_listener("0.0.0.0", 9000, 9, 128, 88);
  for (int second = 0; second < 8; ++second) {
    for (auto* listener : {&known, &unknown}) {  // at every look somebody waits
      listener->fill.samples[2] += 10;
      listener->standing = QueueRun{history.now() - std::chrono::seconds(second), history.now()};
    }
    history.set(&NetnsView::listeners, Listeners{.listeners = {known, unknown}})
        .set(&NetnsView::tcp, TcpCounters{.passive_opens = 0, .listen_overflows = 0})
        .tick();
  }
  const auto verdict = verdict_of("fd-limit-accept-blocked", history.history());
  REQUIRE(verdict.known());
  REQUIRE(verdict.facts().size() == 1);
  CHECK(to_string(verdict.facts()[0].subject) == "0.0.0.0:8000");
  REQUIRE(verdict.unseen());
  CHECK(verdict.unseen()->detail == "processes: the owner of 0.0.0.0:9000 is not known");
}
