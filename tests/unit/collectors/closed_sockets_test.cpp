// SPDX-License-Identifier: Apache-2.0
#include "collectors/closed_sockets.h"

#include "core/facts/socket_usage.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

std::string directory_of(int pid) { return "/proc/" + std::to_string(pid); }

std::vector<std::uint32_t> inodes(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> all;
  for (std::uint32_t each = 0; each < count; ++each) all.push_back(first + each);
  return all;
}

/// Processes that hold sockets, a table that shows some of them, and a look every four seconds.
class Machine : public FakeSource {
 public:
  std::uint64_t links_read = 0, protocols_read = 0, dumps = 0;

  Machine() {
    links["/proc/self/ns/net"] = "net:[1]";
    previous.namespaces.resize(1);
    allocate(100);
  }
  /// Sockets of the machine, of which the collector `connections` has seen none.
  void allocate(Count sockets) {
    auto& netns = previous.namespaces[0];
    netns.sockets.value = std::make_shared<const SocketUsage>(SocketUsage{.allocated = sockets});
    netns.connections.value = std::make_shared<const Connections>();
  }
  void hold(int pid, const std::vector<std::uint32_t>& sockets, const std::string& protocol = "TCP") {
    const auto process = directory_of(pid);
    links[process + "/ns/net"] = "net:[1]";
    std::vector<std::string> names = {"x"};
    for (std::size_t fd = 0; fd < sockets.size(); ++fd) {
      names.push_back(std::to_string(fd));
      const auto path = process + "/fd/" + std::to_string(fd);
      links[path] = "socket:[" + std::to_string(sockets[fd]) + "]";
      protocols[path] = protocol;
    }
    directories[process + "/fd"] = names;
    held_[pid] = sockets.size();
  }
  void show(const std::vector<std::uint32_t>& sockets) {
    messages.clear();
    for (const auto inode : sockets)
      messages.push_back(to_message({.state = TcpState::established, .inode = inode}));
  }
  /// The count of process 7.
  Count look(std::chrono::milliseconds after = 4s) {
    look_at_all(after);
    return count_of(7);
  }
  void look_at_all(std::chrono::milliseconds after = 4s) {
    now += after;
    links_read = protocols_read = dumps = 0;
    named = {};
    for (const auto& [pid, fds] : held_)
      named.processes.push_back({.pid = pid, .start_ticks = start_ticks, .open_fds = fds});
    closed.look({*this, now, previous}, named);
  }
  [[nodiscard]] Count count_of(int pid) const {
    for (const auto& process : named.processes)
      if (process.pid == pid) return process.closed_sockets;
    FAIL("no such process");
    return {};
  }

  Result<std::string> link(const std::string& path) override {
    links_read += path.find("/fd/") != std::string::npos ? 1 : 0;
    return FakeSource::link(path);
  }
  Result<std::string> socket_protocol(const std::string& path) override {
    ++protocols_read;
    return FakeSource::socket_protocol(path);
  }
  Result<void> dump_sockets(const SocketDump& request, const OnMessage& on_message) override {
    ++dumps;
    return FakeSource::dump_sockets(request, on_message);
  }

  Snapshot previous;
  ClosedSockets closed;
  Processes named;
  std::uint64_t start_ticks = 100;
  TimePoint now{1000h};

 private:
  std::map<int, std::uint64_t> held_;
};

}  // namespace

TEST_CASE("sockets that a process holds and the table misses in two looks are counted") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  machine.show(inodes(1, 10));
  CHECK_FALSE(machine.look());
  CHECK(machine.look() == 20U);
  machine.show(inodes(1, 5));
  CHECK(machine.look(8s) == 20U);
  CHECK(machine.look() == 25U);
}

TEST_CASE("a socket that is in the table by the second look is none that is closed") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  machine.show({});
  CHECK_FALSE(machine.look());
  machine.show(inodes(1, 30));
  CHECK(machine.look() == 0U);
}

TEST_CASE("sockets that are always new are not counted") {
  Machine machine;
  for (std::uint32_t look = 0; look < 5; ++look) {
    machine.hold(7, inodes(1 + look * 100, 30));
    const auto count = machine.look();
    CHECK((!count || count == 0U));
  }
}

TEST_CASE("two looks that follow one another at once are one") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  CHECK_FALSE(machine.look());
  CHECK_FALSE(machine.look(1s));
  CHECK(machine.links_read == 0);
  CHECK(machine.look(2900ms) == 30U);
}

TEST_CASE("sockets of other protocols are no TCP sockets that are closed") {
  Machine machine;
  machine.hold(7, inodes(1, 30), "UNIX-STREAM");
  CHECK(machine.look() == 0U);
  machine.hold(8, inodes(100, 30), "TCPv6");
  machine.look_at_all(8s);
  machine.look_at_all();
  CHECK(machine.count_of(7) == 0U);
  CHECK(machine.count_of(8) == 30U);
}

TEST_CASE("nothing is looked at while the tables show nearly all TCP sockets of the machine") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  machine.allocate(15);
  CHECK(machine.look() == 0U);
  CHECK(machine.links_read == 0);
  CHECK(machine.dumps == 0);
  machine.allocate(16);
  CHECK_FALSE(machine.look());
  CHECK(machine.look() == 30U);
  machine.allocate(0);
  CHECK(machine.look() == 0U);
}

TEST_CASE("what the kernel keeps in a small form is not among the sockets that it counts as allocated") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  PortConnections row{.port = 80, .fin_wait2_orphaned = 7};
  row.by_state[static_cast<std::size_t>(TcpState::listen)] = 1;
  row.by_state[static_cast<std::size_t>(TcpState::established)] = 84;
  row.by_state[static_cast<std::size_t>(TcpState::time_wait)] = 1000;
  row.by_state[static_cast<std::size_t>(TcpState::syn_recv)] = 1000;
  row.by_state[static_cast<std::size_t>(TcpState::fin_wait2)] = 7;
  machine.previous.namespaces[0].connections.value =
      std::make_shared<const Connections>(Connections{.server = {row}});
  CHECK(machine.look() == 0U);  // 100 allocated, 85 shown
  machine.allocate(101);
  machine.previous.namespaces[0].connections.value =
      std::make_shared<const Connections>(Connections{.client = {row}});
  CHECK_FALSE(machine.look());
}

TEST_CASE("a process with few descriptors cannot hold many closed sockets and is not looked at") {
  Machine machine;
  machine.hold(7, inodes(1, 15));
  CHECK(machine.look() == 0U);
  CHECK(machine.links_read == 0);
}

TEST_CASE("what is needed to tell closed sockets and is not known makes them unknown") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  REQUIRE_FALSE(machine.look());
  REQUIRE(machine.look() == 30U);
  SECTION("how many sockets there are") { machine.allocate(std::nullopt); }
  SECTION("sockstat") { machine.previous.namespaces[0].sockets = {}; }
  SECTION("the counted table") { machine.previous.namespaces[0].connections = {}; }
  SECTION("any namespace") { machine.previous.namespaces.clear(); }
  SECTION("the table") {
    machine.dump_outcome = unexpected(Errc::timed_out, "sock_diag: the dump did not end within 10 ms");
  }
  SECTION("a message of the dump") { machine.messages = {"garbage"}; }
  SECTION("the list of descriptors") { machine.deny("/proc/7/fd"); }
  SECTION("a descriptor") { machine.deny("/proc/7/fd/0"); }
  SECTION("the network namespace") { machine.deny("/proc/7/ns/net"); }
  SECTION("our own network namespace") { machine.deny("/proc/self/ns/net"); }
  SECTION("that it is our own network namespace") { machine.links["/proc/7/ns/net"] = "net:[2]"; }
  CHECK_FALSE(machine.look(8s));
}

TEST_CASE("a kernel that tells no protocols leaves closed sockets unknown") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  for (auto& [path, protocol] : machine.protocols)
    protocol = unexpected(Errc::failed, path + ": Operation not supported");
  CHECK_FALSE(machine.look());
  CHECK_FALSE(machine.look(8s));
}

TEST_CASE("a descriptor that is closed or given away between the looks at it is passed over") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  machine.links.erase("/proc/7/fd/0");
  machine.protocols["/proc/7/fd/1"] = unexpected(Errc::missing, "/proc/7/fd/1: No such file or directory");
  machine.protocols["/proc/7/fd/2"] = unexpected(Errc::failed, "/proc/7/fd/2: No data available");
  CHECK_FALSE(machine.look());
  CHECK(machine.look() == 27U);
}

TEST_CASE("a number that is given to another process begins anew") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  machine.look();
  REQUIRE(machine.look() == 30U);
  machine.start_ticks = 200;
  CHECK_FALSE(machine.look());
}

TEST_CASE("a socket that a process holds twice is one, and its protocol is asked for once") {
  Machine machine;
  auto twice = inodes(1, 20);
  for (const auto inode : inodes(1, 20)) twice.push_back(inode);
  machine.hold(7, twice);
  machine.look();
  CHECK(machine.protocols_read == 40);
  CHECK(machine.look() == 20U);
  CHECK(machine.protocols_read == 0);
}

TEST_CASE("a healthy process is looked at every second run, one with something to confirm in the next") {
  Machine machine;
  machine.hold(7, inodes(1, 30));
  machine.hold(8, inodes(100, 30));
  machine.show(inodes(1, 30));
  machine.look_at_all();
  CHECK(machine.links_read == 60);
  CHECK(machine.dumps == 1);
  machine.look_at_all();
  CHECK(machine.links_read == 30);
  CHECK(machine.count_of(7) == 0U);
  CHECK(machine.count_of(8) == 30U);
}

TEST_CASE("of very many processes and descriptors a bounded number is looked at in a run, all in turn") {
  Machine machine;
  for (int pid = 1; pid <= 20; ++pid)
    machine.hold(pid, inodes(static_cast<std::uint32_t>(pid) * 10000, 3000), pid == 17 ? "TCP" : "UDP");
  std::uint64_t runs = 0;
  do {
    machine.look_at_all();
    CHECK(machine.links_read <= ClosedSockets::kLinksPerRun + ClosedSockets::kLinksPerProcess);
  } while (machine.count_of(17) != ClosedSockets::kLinksPerProcess && ++runs < 20);
  CHECK(runs < 12);
  CHECK_FALSE(machine.count_of(16) > 0U);
}
