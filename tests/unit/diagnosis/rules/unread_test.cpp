// SPDX-License-Identifier: Apache-2.0
#include "core/facts/netns_list.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/history.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr auto kId = "requests-not-read";

// Socket table dumps 4 s apart of a server on port 80.
class Dumps {
 public:
  Dumps() {
    history_.set(&NetnsView::listeners, Listeners{.listeners = {sample_listener("0.0.0.0", 80, 0, 128, 77)}})
        .set(&Snapshot::processes, Processes{.processes = {server()}});
  }
  static Process server(Count open = 40) {
    return {.pid = 812,
            .start_ticks = 5,
            .comm = "gunicorn",
            .owner = system_unit("app.service"),
            .open_fds = open,
            .soft_limit = 1024,
            .listener_inodes = {77},
            .state = 'S',
            .wait_channel = "futex_wait_queue"};
  }
  Dumps& dump(Connections connections) {
    history_.set(&NetnsView::connections, std::move(connections)).tick(4s);
    return *this;
  }
  // So many accepted connections, of which so many have unread data at the moment; of these so many stand,
  // and of these in turn so many are not being read.
  Dumps& dump(std::uint32_t accepted, std::uint32_t unread, std::uint32_t standing, Count not_read) {
    Connections connections;
    PortConnections row{.port = 80, .accepted = accepted, .unread = unread};
    row.by_state[static_cast<std::size_t>(TcpState::established)] = accepted;
    connections.server = {row};
    if (standing != 0)
      connections.unread = {{.address = address("10.0.0.1"),
                             .port = 80,
                             .standing = standing,
                             .not_read = not_read,
                             .accepted = accepted,
                             .served = accepted - standing,
                             .longest = not_read ? std::optional(41s) : std::nullopt}};
    return dump(connections);
  }
  [[nodiscard]] HistoryBuilder& builder() { return history_; }
  [[nodiscard]] const History& history() const { return history_.history(); }

 private:
  HistoryBuilder history_;
};

}  // namespace

TEST_CASE("accepted connections whose requests are not read are named with how many, whose and since when") {
  Dumps dumps;
  const auto finding = only_finding(kId, dumps.dump(100, 100, 0, {}).dump(100, 100, 97, 97).history());
  CHECK(finding.severity == Severity::warning);
  CHECK(to_string(finding.subject) == "0.0.0.0:80");
  CHECK(finding.summary ==
        "97 of 100 connections that gunicorn[812] has accepted on 0.0.0.0:80 have data that it does not "
        "read, the first for 41 s; it sleeps in the kernel function futex_wait_queue. Its workers or threads "
        "are all busy or waiting for something, or it holds its clients back on purpose.");
  REQUIRE(finding.advice.size() == 4);
  CHECK(finding.advice[0].command == "gdb -p 812 -batch -ex 'thread apply all bt'");
  CHECK(finding.advice[1].command == "ss -tno state established '( sport = :80 )'");
  CHECK(finding.advice[3].command == "systemctl restart -- app.service");
}

TEST_CASE("a proxy that waits for its container before it reads is not what is stuck") {
  const auto said = [](const char* comm, const char* unanswered) {
    Dumps dumps;
    auto proxy = Dumps::server();
    proxy.comm = comm;
    dumps.builder()
        .set(&Snapshot::processes, Processes{.processes = {proxy}})
        .set(&Snapshot::netns_list,
             NetnsList{.published = {{address("0.0.0.0"), 80, address("172.17.0.2"), 5000}}});
    dumps.dump(100, 97, 97, 97);
    auto connections = *dumps.history().snapshots().back().namespaces[0].connections.get();
    connections.unanswered = {{address("172.17.0.1"), address(unanswered), 5000, 97}};
    return verdict_of(kId, dumps.dump(connections).history());
  };
  CHECK(said("docker-proxy", "172.17.0.2").is_clear());
  CHECK_FALSE(said("docker-proxy", "172.17.0.3").is_clear());
  CHECK_FALSE(said("gunicorn", "172.17.0.2").is_clear());
}

TEST_CASE("of a program that is stopped no more is said than that") {
  Dumps dumps;
  auto stopped = Dumps::server();
  stopped.state = 'T';
  dumps.builder().set(&Snapshot::processes, Processes{.processes = {stopped}});
  const auto finding = only_finding(kId, dumps.dump(100, 97, 97, 97).history());
  CHECK(finding.summary.ends_with("it is stopped (by SIGSTOP or a debugger)."));
  CHECK(finding.advice.front().command == "kill -CONT 812");
}

TEST_CASE("it is critical when they become more, dump by dump") {
  Dumps dumps;
  dumps.dump(100, 20, 20, 20).dump(110, 30, 30, 30);
  CHECK(only_finding(kId, dumps.history()).severity == Severity::warning);
  dumps.dump(120, 40, 40, 40);
  const auto finding = only_finding(kId, dumps.history());
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.summary.find("and their number is growing") != std::string::npos);
}

TEST_CASE("one step up, or an up and down, is no growth") {
  Dumps dumps;
  dumps.dump(100, 40, 40, 40).dump(200, 90, 90, 90).dump(200, 90, 90, 90);
  CHECK(only_finding(kId, dumps.history()).severity == Severity::warning);
  dumps.dump(200, 60, 60, 60).dump(200, 90, 90, 90);
  CHECK(only_finding(kId, dumps.history()).severity == Severity::warning);
}

TEST_CASE("few, or a small part of those that are served, are paused clients and no trouble of the server") {
  CHECK(verdict_of(kId, Dumps().dump(20, 9, 9, 9).history()).is_clear());
  CHECK(verdict_of(kId, Dumps().dump(1000, 200, 200, 200).history()).is_clear());
}

TEST_CASE("connections on which nothing goes on do not speak for the server") {
  Connections connections;
  connections.unread = {
      {.address = address("10.0.0.1"), .port = 80, .standing = 30, .not_read = 30, .accepted = 500}};
  CHECK(only_finding(kId, Dumps().dump(connections).history()).summary.starts_with("30 of 500 connections"));
}

TEST_CASE("each listener of a port is judged for itself, and one on every address once") {
  Connections connections;
  connections.unread = {
      {.address = address("10.0.0.1"), .port = 80, .standing = 20, .not_read = 20, .accepted = 20},
      {.address = address("10.0.0.2"), .port = 80, .standing = 10, .not_read = 10, .accepted = 10},
      {.address = address("10.0.0.3"),
       .port = 80,
       .standing = 90,
       .not_read = 0,
       .accepted = 90,
       .served = 90}};
  Dumps dumps;
  dumps.builder().set(&NetnsView::listeners,
                      Listeners{.listeners = {sample_listener("0.0.0.0", 80, 0, 128, 77),
                                              sample_listener("10.0.0.3", 80, 0, 128, 78)}});
  const auto finding = only_finding(kId, dumps.dump(connections).history());
  CHECK(to_string(finding.subject) == "0.0.0.0:80");
  CHECK(finding.summary.starts_with("30 of 30 connections"));
}

TEST_CASE("a busy server that reads what it has, and uploads that go on, are clear") {
  Dumps dumps;
  for (int each = 0; each < 5; ++each) dumps.dump(100, 100, 100, 0);
  CHECK(verdict_of(kId, dumps.history()).is_clear());
  dumps.dump(100, 100, 0, {});
  CHECK(verdict_of(kId, dumps.history()).is_clear());
}

TEST_CASE("the connections that did not become more with the clients are named") {
  Dumps dumps;
  const Destination upstream{.destination = address("10.0.0.9"), .port = 5432, .local_ports = 5};
  for (std::uint32_t clients = 20; clients <= 100; clients += 20) {
    Connections connections;
    PortConnections row{.port = 80, .accepted = clients, .unread = clients}, pool{.port = 5432};
    row.by_state[static_cast<std::size_t>(TcpState::established)] = clients;
    pool.by_state[static_cast<std::size_t>(TcpState::established)] = 5;
    connections.server = {row};
    connections.client = {pool};
    connections.destinations = {upstream};
    connections.unread = {{.address = address("10.0.0.1"),
                           .port = 80,
                           .standing = clients,
                           .not_read = clients,
                           .accepted = clients,
                           .longest = 12s}};
    dumps.builder().set(&Snapshot::processes, Processes{.processes = {Dumps::server(40 + clients)}});
    dumps.dump(connections);
  }
  const auto finding = only_finding(kId, dumps.history());
  CHECK(
      finding.summary.ends_with("This host's connections to 10.0.0.9:5432 stayed at 5 while the number of "
                                "clients grew: it may be waiting for these."));
  CHECK(finding.advice[1].command == "ss -tnpo dst 10.0.0.9:5432");
}

TEST_CASE("without the socket table, or when the kernel does not say when something came, it cannot tell") {
  Dumps denied;
  denied.builder().deny(&NetnsView::connections).tick();
  CHECK_FALSE(verdict_of(kId, denied.history()).known());
  const auto not_told = verdict_of(kId, Dumps().dump(100, 90, 90, {}).history());
  CHECK(not_told.known());
  CHECK(not_told.facts().empty());
  REQUIRE(not_told.unseen());
  CHECK(not_told.unseen()->code == Errc::missing);
  Connections cut;
  cut.unread_cut = 12;
  const auto too_many = verdict_of(kId, Dumps().dump(cut).history());
  REQUIRE(too_many.unseen());
  CHECK(too_many.unseen()->code == Errc::too_large);
}

TEST_CASE("in the first seconds it is too early to say whether requests are read") {
  Dumps dumps;
  const auto first = verdict_of(kId, dumps.dump(100, 100, 0, {}).history());
  REQUIRE(first.unseen());
  CHECK(first.unseen()->code == Errc::too_early);
  dumps.dump(100, 100, 0, {}).dump(100, 100, 0, {});
  CHECK_FALSE(verdict_of(kId, dumps.history()).is_clear());
  CHECK(verdict_of(kId, dumps.dump(100, 100, 0, {}).dump(100, 100, 0, {}).history()).is_clear());
  Dumps later;  // they have come while it was watched
  later.dump(100, 0, 0, {}).dump(100, 100, 0, {});
  CHECK(verdict_of(kId, later.history()).is_clear());
}

TEST_CASE("a server that accepts nothing any more does not read either: that is one finding") {
  const auto& stalled = rule_of("accept-queue-app-stalled").info.explains;
  CHECK(std::ranges::find(stalled, std::string_view(kId)) != stalled.end());
}

TEST_CASE("without a known owner the port is named") {
  Dumps dumps;
  dumps.builder().set(&Snapshot::processes, Processes{});
  CHECK(only_finding(kId, dumps.dump(100, 97, 97, 97).history())
            .summary.starts_with(
                "97 of 100 connections that a program has accepted on 0.0.0.0:80 have data that"));
}
