// SPDX-License-Identifier: Apache-2.0
#include "cli/connections.h"

#include <nlohmann/json.hpp>

#include "cli/connection_rows.h"
#include "cli/port_view.h"
#include "cli/report_part.h"
#include "core/facts/settings.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

/// The sample's host alone, as on a machine without further namespaces.
Report host_alone() {
  auto report = sample_report();
  report.snapshot.namespaces.resize(1);
  return report;
}

template <class Change>
void change_connections(Report& report, Change change) {
  auto connections = *report.snapshot.namespaces[0].connections.get();
  change(connections);
  report.snapshot.namespaces[0].connections.value =
      std::make_shared<const Connections>(std::move(connections));
}

}  // namespace

TEST_CASE("the tables of connections are the ones that were looked at") {
  auto report = host_alone();
  change_connections(report, [](Connections& connections) {
    auto& postgres = connections.client.emplace_back(PortConnections{.port = 5432});
    postgres.by_state[static_cast<std::size_t>(TcpState::established)] = 1200;
    postgres.by_state[static_cast<std::size_t>(TcpState::syn_sent)] = 40;
    auto busy = connections.destinations.front();
    busy.port = 5432;
    busy.local_ports = 27000;
    connections.destinations.push_back(busy);
    connections.destination_undercount = 3;
  });
  check_committed("tests/unit/cli/connections.golden.txt", connections_text(report, {}));
}

TEST_CASE("all that is known about one port is what was looked at") {
  const auto report = only_port(host_alone(), 80);
  const ClosedByPeer closed = {{{"host", 7}, {.peer = "10.0.0.7:51234", .holder = "nginx[800]", .fd = 12}}};
  check_committed("tests/unit/cli/port.golden.txt", port_text(report, 80, closed, {}));
}

TEST_CASE(
    "sockets that their peers have closed get the peer from a dump and the descriptor from their holder") {
  const auto report = host_alone();
  FakeSource source;
  source.messages = {to_message({.state = TcpState::close_wait,
                                 .source = address("::ffff:10.0.0.1"),
                                 .destination = address("::ffff:10.0.0.7"),
                                 .source_port = 80,
                                 .destination_port = 51234,
                                 .inode = 7}),
                     to_message({.state = TcpState::close_wait, .inode = 9999}), "cut off"};
  source.directories["/proc/800/fd"] = std::vector<std::string>{"13", "12", "1", "x"};
  source.links["/proc/800/fd/13"] = "socket:[7]";
  source.links["/proc/800/fd/12"] = "socket:[7]";
  source.links["/proc/800/fd/1"] = "/dev/null";
  ClosedByPeer closed;
  add_peers(closed, report.snapshot.namespaces[0], source);
  add_descriptors(closed, report.snapshot, source);
  const auto& first = closed.at({"host", 7});
  CHECK(first.peer == "10.0.0.7:51234");
  CHECK(first.holder == "nginx[800]");
  CHECK(first.fd == 12U);
  const auto& other = closed.at({"host", 8});
  CHECK(other.peer.empty());
  CHECK(other.holder == "nginx[800]");
  CHECK_FALSE(other.fd);
}

TEST_CASE("a peer and a descriptor that cannot be read are not known") {
  const auto report = only_port(host_alone(), 80);
  FakeSource source;
  source.dump_outcome = unexpected(Errc::denied, "sock_diag: Operation not permitted");
  source.deny("/proc/800/fd");
  ClosedByPeer closed;
  add_peers(closed, report.snapshot.namespaces[0], source);
  add_descriptors(closed, report.snapshot, source);
  CHECK(closed.at({"host", 7}).peer.empty());
  CHECK_FALSE(closed.at({"host", 7}).fd);
  CHECK_THAT(port_text(report, 80, closed, {}), ContainsSubstring("?     nginx[800]   ?      7"));
  CHECK(port_text(report, 80, closed, {}) == port_text(report, 80, {}, {}));
}

TEST_CASE("connections of other ports are left out, in JSON as well") {
  const auto report = only_port(host_alone(), 80);
  const auto json = nlohmann::json::parse(part_of_report(report, {"listeners", "connections"}, {}));
  const auto& host = json["namespaces"][0];
  CHECK(host["listeners"]["endpoints"].size() == 1);
  CHECK(host["connections"]["server"].size() == 1);
  CHECK(host["connections"]["client"].empty());
  CHECK(host["connections"]["close_wait"]["oldest"].size() == 2);
  CHECK(host["connections"]["half_open"].size() == 1);
  CHECK(host["connections"]["destinations"].empty());
}

TEST_CASE("a port without connections says so, and what it may be among") {
  auto report = host_alone();
  change_connections(report, [](Connections& connections) { connections.client_other = {}; });
  CHECK(port_text(only_port(report, 7), 7, {}, {}) == "No connection and no listener on port 7.\n");
  CHECK(port_text(only_port(host_alone(), 7), 7, {}, {}) ==
        "No connection and no listener on port 7.\n"
        "7 client connections to ports beyond the busiest 20 are not listed separately.\n");
}

TEST_CASE("no connections and connections that are not known are told apart") {
  auto report = host_alone();
  change_connections(report, [](Connections& connections) { connections = {}; });
  CHECK(connections_text(report, {}) == "There are no connections.\n");
  CHECK(connections_text(report_of_errors(), {}).empty());
  CHECK(port_text(only_port(report_of_errors(), 80), 80, {}, {}).empty());
}

TEST_CASE("a server port with listeners and no connections is not shown") {
  auto report = host_alone();
  change_connections(report, [](Connections& connections) {
    connections = {};
    connections.server.push_back({.port = 22});
    connections.server.back().by_state[static_cast<std::size_t>(TcpState::listen)] = 1;
  });
  CHECK(connections_text(report, {}) == "There are no connections.\n");
}

TEST_CASE("the share of ephemeral ports is unknown where the range is") {
  auto report = host_alone();
  report.snapshot.namespaces[0].settings.value = unexpected(Errc::denied, "/proc/sys: Permission denied");
  CHECK_THAT(destinations_text(report, 5, {}), ContainsSubstring("5   ?      ?\n"));
}

TEST_CASE("tables of connections have a column for the namespace when there are several") {
  CHECK_THAT(connections_text(sample_report(), {}), ContainsSubstring("\nNETNS  PORT"));
  CHECK(port_text(only_port(sample_report(), 80), 80, {}, {}).starts_with("NETNS  ROLE"));
}

TEST_CASE("an age has no more than two units") {
  CHECK(age_text(0s) == "0s");
  CHECK(age_text(59999ms) == "59s");
  CHECK(age_text(60s) == "1m");
  CHECK(age_text(150s) == "2m30s");
  CHECK(age_text(2h + 59min + 59s) == "2h59m");
  CHECK(age_text(26h) == "1d2h");
}
