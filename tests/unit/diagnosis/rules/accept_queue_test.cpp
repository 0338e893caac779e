// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

constexpr const char* kCauses[] = {"accept-queue-app-stalled", "accept-queue-app-slow",
                                   "accept-queue-backlog-small", "accept-queue-one-listener-stuck",
                                   "fd-limit-accept-blocked"};

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
        "attempts were turned away in 9 s, and the queue was emptied again; it is what the server asked "
        "for, "
        "net.core.somaxconn is 4096.");
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
        "If it is 128 still, raise the backlog of gunicorn as well: gunicorn --backlog 1024.");
  CHECK(finding.advice[3].command == "echo 'net.core.somaxconn = 4096' > /etc/sysctl.d/60-somaxconn.conf");
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
        "connections "
        "and 200 further attempts were turned away in 10 s; it sleeps in the kernel function "
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
        "; of its 3 workers 2, like pid 814, sleep in the kernel function futex_wait_queue. gdb -p 814 "
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

TEST_CASE("a stall that fills the window may be longer than it") {
  Server server;
  server.seconds(40, 10, 0, 129, 20);
  CHECK_THAT(server.finding("accept-queue-app-stalled").summary, ContainsSubstring("for over 30 s"));
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

TEST_CASE("a stall that is a moment shorter than three seconds is none, or one in every way") {
  Server server;
  server.seconds(5, 0, 10, 0).second(9, 1, 129, 50, 129).seconds(2, 10, 0, 129, 40);
  server.history_.snapshot().at -= std::chrono::microseconds(200);
  server.second(10, 0, 129, 40);
  const bool stalled = !server.clear("accept-queue-app-stalled");
  server.second(1, 8, 0);
  CHECK(server.clear("accept-queue-backlog-small") == stalled);
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
        "in the "
        "accept queue of 0.0.0.0:5000.");
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
        "Nothing is accepted by 1 of the 3 listeners that share 0.0.0.0:5000: a queue of 128 has been full "
        "for 9 s while the others are served, and 100 connection attempts were turned away in 14 s. It "
        "belongs to gunicorn[812].");
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
            .summary.starts_with("Nothing is accepted by 3 of the 4"));
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
    for (auto* listener : {&known, &unknown})
      listener->fill.samples[2] += 10;  // at every look somebody waits
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
