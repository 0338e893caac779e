// SPDX-License-Identifier: Apache-2.0
#include "collectors/processes.h"

#include "collectors/open_descriptors.h"
#include "core/facts/listeners.h"
#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

std::string stat_text(int pid, const std::string& comm, int start_ticks) {
  return std::to_string(pid) + " (" + comm + ") S 1 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 " +
         std::to_string(start_ticks) + " 1000 10 18446744073709551615 1 1\n";
}

std::string limits_text(const std::string& soft, const std::string& hard) {
  return "Limit                     Soft Limit           Hard Limit           Units     \n"
         "Max open files            " +
         soft + "                 " + hard + "               files     \n";
}

/// A /proc of a few processes, read every five seconds.
class Machine : public FakeSource {
 public:
  std::uint64_t links_read = 0;
  std::uint64_t directories_listed = 0;
  bool sizes_count = true;

  void start(int pid, const std::string& comm, std::vector<std::string> fds, int start_ticks = 100) {
    const auto directory = "/proc/" + std::to_string(pid);
    files[directory + "/stat"] = stat_text(pid, comm, start_ticks);
    files[directory + "/limits"] = limits_text("10", "20");
    files[directory + "/cgroup"] = "0::/system.slice/" + comm + ".service\n";
    std::vector<std::string> names;
    for (std::size_t fd = 0; fd < fds.size(); ++fd) {
      names.push_back(std::to_string(fd));
      links[directory + "/fd/" + std::to_string(fd)] = fds[fd];
    }
    directories[directory + "/fd"] = names;
    sizes[directory + "/fd"] = sizes_count ? names.size() : 0;
    pids_.insert(pid);
    directories["/proc"] = proc_names();
    sizes["/proc/self/fd"] = sizes_count ? 3 : 0;
  }
  void limit(int pid, const std::string& descriptors) {
    files["/proc/" + std::to_string(pid) + "/limits"] = limits_text(descriptors, descriptors);
  }
  /// Together they have more descriptors than one run looks at, if they are nine or more.
  void start_many(int first, int last) {
    for (int pid = first; pid <= last; ++pid) start(pid, "many", std::vector<std::string>(1000, "/dev/null"));
  }
  void end(int pid) {
    remove_files_of(pid);
    pids_.erase(pid);
    directories["/proc"] = proc_names();
  }
  /// The process is still in the list that was just made, but no more behind it.
  void remove_files_of(int pid) {
    const auto directory = "/proc/" + std::to_string(pid) + "/";
    std::erase_if(files, [&](const auto& entry) { return entry.first.starts_with(directory); });
    std::erase_if(links, [&](const auto& entry) { return entry.first.starts_with(directory); });
    directories.erase(directory + "fd");
    sizes.erase(directory + "fd");
  }
  void listen(std::vector<std::uint32_t> inodes, std::uint32_t queue_length = 0) {
    auto listeners = std::make_shared<Listeners>();
    for (const auto inode : inodes)
      listeners->listeners.push_back(
          {.endpoint = {.port = 80},
           .sockets = {{.cookie = inode, .inode = inode, .queue_length = queue_length}}});
    previous.namespaces.resize(1);
    previous.namespaces[0].listeners.value = std::move(listeners);
  }
  /// Sockets in CLOSE_WAIT that several dumps have shown, oldest first.
  void leave_in_close_wait(std::vector<std::uint32_t> inodes, std::chrono::seconds age = 60s) {
    auto connections = std::make_shared<Connections>();
    for (const auto inode : inodes)
      connections->close_wait.push_back({.inode = inode, .first_seen = now - age});
    previous.namespaces.resize(1);
    previous.namespaces[0].connections = {.value = std::move(connections), .read_at = now};
  }
  Processes run(std::chrono::seconds after = 5s) {
    now += after;
    links_read = directories_listed = 0;
    const auto processes = reader({*this, now, previous});
    REQUIRE(processes);
    return *processes;
  }
  Result<std::string> link(const std::string& path) override {
    if (path.find("/fd/") != std::string::npos) ++links_read;
    return FakeSource::link(path);
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    ++directories_listed;
    return FakeSource::list(path);
  }

  Snapshot previous;
  ProcessesReader reader;
  TimePoint now{1000h};

 private:
  std::vector<std::string> proc_names() const {
    std::vector<std::string> names = {"self", "net", "1x", "-1", "99999999999"};
    for (const auto pid : pids_) names.push_back(std::to_string(pid));
    return names;
  }
  std::set<int> pids_;
};

/// Process 7, nginx, holds socket 5, which listens.
class Server : public Machine {
 public:
  Server() {
    start(7, "nginx", {"socket:[5]"});
    listen({5});
  }
};

const Process* find(const Processes& processes, int pid) {
  for (const auto& process : processes.processes)
    if (process.pid == pid) return &process;
  return nullptr;
}

/// The same of one that is there.
const Process& named(const Processes& processes, int pid) {
  const auto* process = find(processes, pid);
  REQUIRE(process != nullptr);
  return *process;
}

std::vector<int> owners_of(const Processes& processes, std::uint32_t inode) {
  std::vector<int> pids;
  for (const auto& process : processes.processes)
    for (const auto held : process.listener_inodes)
      if (held == inode) pids.push_back(process.pid);
  return pids;
}

}  // namespace

TEST_CASE("a process is read with its name, unit, descriptors, limits and listening sockets") {
  Machine machine;
  machine.start(7, "ngi) nx", {"/dev/null", "socket:[9]", "socket:[5]", "socket:[5]", "socket:[77]"});
  machine.listen({5, 9, 0});
  const auto processes = machine.run();
  CHECK(processes.total == 1);
  CHECK(processes.unreadable == 0);
  REQUIRE(processes.processes.size() == 1);
  const auto& process = processes.processes.front();
  CHECK(process.pid == 7);
  CHECK(process.start_ticks == 100);
  CHECK(process.comm == "ngi) nx");
  CHECK(to_string(process.owner) == "ngi) nx.service");
  CHECK(process.open_fds == 5U);
  CHECK(process.soft_limit == 10U);
  CHECK(process.hard_limit == 20U);
  CHECK(process.listener_inodes == std::vector<std::uint32_t>{5, 9});
}

TEST_CASE("descriptors are not listed again while nothing changes") {
  Server machine;
  machine.start(8, "other", {"/dev/null"});
  machine.run();
  CHECK(machine.links_read == 2);
  const auto processes = machine.run();
  CHECK(machine.links_read == 0);
  CHECK(machine.directories_listed == 1);  // /proc
  CHECK(owners_of(processes, 5) == std::vector{7});
}

TEST_CASE("a worker that inherits a listening socket is found when it appears, by looking at it alone") {
  Machine machine;
  machine.start(7, "nginx", {"socket:[5]", "/dev/null"});
  machine.listen({5});
  machine.run();
  machine.start(8, "nginx", {"socket:[5]"}, 200);
  const auto processes = machine.run();
  CHECK(owners_of(processes, 5) == std::vector{7, 8});
  CHECK(machine.links_read == 1);
}

TEST_CASE("a new listening socket of an old process is found in the next run") {
  Server machine;
  machine.run();
  machine.start(7, "nginx", {"socket:[5]", "socket:[6]"});
  machine.listen({5, 6});
  CHECK(owners_of(machine.run(), 6) == std::vector{7});
  machine.run();
  CHECK(machine.links_read == 0);
}

TEST_CASE("a process that uses less than a tenth of its descriptors and owns no listener is not named") {
  Machine machine;
  machine.start(7, "idle", {"/dev/null"});
  machine.files["/proc/7/limits"] = limits_text("11", "20");
  CHECK(machine.run().processes.empty());
}

TEST_CASE("the first listening socket is looked for at once") {
  Machine machine;
  machine.start(7, "nginx", {"socket:[5]"});
  CHECK(machine.run().processes.size() == 1);
  CHECK(machine.links_read == 0);
  machine.listen({5});
  CHECK(owners_of(machine.run(), 5) == std::vector{7});
}

TEST_CASE("a socket whose last owner ended is looked for everywhere, and once only when nobody has it") {
  Server machine;
  machine.start(8, "keeper", {"/dev/null"});
  machine.run();
  machine.end(7);
  machine.start(8, "keeper", {"socket:[5]"});  // it was handed over a socket
  const auto processes = machine.run(SocketSweep::kInterval);
  CHECK(owners_of(processes, 5) == std::vector{8});
  machine.end(8);
  machine.start(9, "other", {"/dev/null"});
  machine.run(SocketSweep::kInterval);
  machine.run(SocketSweep::kInterval);
  CHECK(machine.links_read == 0);
}

TEST_CASE("an owner is still known after a time in which the listening sockets were not") {
  Server machine;
  machine.run();
  machine.previous.namespaces[0].listeners = {};
  for (int run = 0; run < 14; ++run) CHECK(owners_of(machine.run(), 5) == std::vector{7});
  machine.listen({5});
  CHECK(owners_of(machine.run(), 5) == std::vector{7});
}

TEST_CASE("a namespace whose listening sockets are not known does not keep another's from being looked for") {
  Server machine;
  machine.previous.namespaces.push_back({.id = NetnsId(1)});
  CHECK(owners_of(machine.run(), 5) == std::vector{7});
}

TEST_CASE("a listening socket that was left out of the list for a while is looked for again") {
  Machine machine;
  machine.start(7, "nginx", {"socket:[5]"});
  machine.listen({5, 6});
  machine.run();
  machine.listen({6});
  for (int run = 0; run < 14; ++run) CHECK(owners_of(machine.run(), 5).empty());
  machine.listen({5, 6});
  CHECK(owners_of(machine.run(), 5) == std::vector{7});
}

TEST_CASE("an owner that closes the socket is an owner no more within a minute") {
  Machine machine;
  machine.start(7, "parent", {"socket:[5]"});
  machine.start(8, "child", {"socket:[5]"});
  machine.listen({5});
  machine.run();
  machine.start(7, "parent", {"/dev/null"});
  CHECK(owners_of(machine.run(SocketSweep::kRecheckInterval), 5) == std::vector{8});
}

TEST_CASE("a number that is given to another process is not taken for the old one") {
  Machine machine;
  machine.start(7, "nginx", {"socket:[5]"}, 100);
  machine.listen({5});
  machine.run();
  machine.start(7, "bash", {"/dev/null"}, 300);
  const auto processes = machine.run();
  CHECK(named(processes, 7).comm == "bash");
  CHECK(named(processes, 7).start_ticks == 300);
  CHECK(named(processes, 7).listener_inodes.empty());
}

TEST_CASE("an owner is told with the name of the program that it runs now, not of the one before") {
  Machine machine;
  machine.start(7, "sh", {"/dev/null"});
  machine.limit(7, "1000");
  machine.run();
  machine.start(7, "nginx", {"socket:[5]"});
  machine.listen({5});
  const auto processes = machine.run();
  CHECK(owners_of(processes, 5) == std::vector{7});
  CHECK(named(processes, 7).comm == "nginx");
  CHECK(named(processes, 7).owner == system_unit("nginx.service"));
}

TEST_CASE("an owner that has the number of one that ended is told with its own name and start") {
  Machine machine;
  machine.start(7, "sh", {"/dev/null"});
  machine.run();
  machine.start(7, "nginx", {"socket:[5]"}, 500);
  machine.listen({5});
  for (const auto& processes : {machine.run(), machine.run()}) {
    CHECK(named(processes, 7).comm == "nginx");
    CHECK(named(processes, 7).start_ticks == 500);
  }
  CHECK(owners_of(machine.run(), 5) == std::vector{7});
}

TEST_CASE("a process that ends between the list and the look is no error and not shown") {
  Server machine;
  machine.start(8, "brief", {"socket:[5]"});
  machine.remove_files_of(8);
  const auto first = machine.run();
  CHECK(first.total == 1);
  CHECK(first.unreadable == 0);
  CHECK(owners_of(first, 5) == std::vector{7});
  machine.remove_files_of(7);
  CHECK(machine.run(60s).processes.empty());
}

TEST_CASE("a process that seemed to have ended is looked at again when it is still there") {
  Server machine;
  machine.directories.erase("/proc/7/fd");
  const auto first = machine.run();
  CHECK(owners_of(first, 5).empty());
  CHECK(first.unreadable == 0);
  machine.start(7, "nginx", {"socket:[5]"});
  CHECK(owners_of(machine.run(), 5) == std::vector{7});
}

TEST_CASE("a process whose descriptors may not be listed is counted, and its number of them still known") {
  Server machine;
  machine.directories["/proc/7/fd"] = unexpected(Errc::denied, "/proc/7/fd: Permission denied");
  machine.start(8, "kthreadd", {});
  const auto processes = machine.run();
  CHECK(processes.total == 2);
  CHECK(processes.unreadable == 1);
  CHECK(find(processes, 8) == nullptr);
  CHECK(named(processes, 7).open_fds == 1U);
  CHECK(named(processes, 7).listener_inodes.empty());
}

TEST_CASE("links that may not be read count as unreadable") {
  Server machine;
  machine.links["/proc/7/fd/0"] = unexpected(Errc::denied, "/proc/7/fd/0: Permission denied");
  CHECK(machine.run().unreadable == 1);
}

TEST_CASE("a kernel that gives no size has the descriptors counted, of the fullest in every run") {
  Machine machine;
  machine.sizes_count = false;
  machine.start(7, "nginx", {"a", "b", "c"});
  CHECK(named(machine.run(), 7).open_fds == 3U);
  machine.start(7, "nginx", {"a", "b", "c", "d"});
  CHECK(named(machine.run(), 7).open_fds == 4U);
}

TEST_CASE("what cannot be read of a process stays empty") {
  Server machine;
  machine.deny("/proc/7/limits");
  machine.deny("/proc/7/cgroup");
  machine.sizes["/proc/7/fd"] = unexpected(Errc::denied, "/proc/7/fd: Permission denied");
  const auto processes = machine.run();
  CHECK_FALSE(named(processes, 7).open_fds);
  CHECK_FALSE(named(processes, 7).soft_limit);
  CHECK(named(processes, 7).owner == Owner());
  CHECK(named(processes, 7).listener_inodes == std::vector<std::uint32_t>{5});
}

TEST_CASE("what is known of a process stays known when it cannot be read for a while") {
  Server machine;
  machine.run();
  for (const auto* name : {"stat", "limits", "cgroup"}) {
    const auto path = std::string("/proc/7/") + name;
    machine.files[path] = unexpected(Errc::failed, path + ": Too many open files");
  }
  const auto processes = machine.run();
  CHECK(named(processes, 7).comm == "nginx");
  CHECK(named(processes, 7).start_ticks == 100);
  CHECK(named(processes, 7).owner == system_unit("nginx.service"));
  CHECK(named(processes, 7).soft_limit == 10U);
  CHECK(owners_of(processes, 5) == std::vector{7});
}

TEST_CASE("nothing of a process that ended is told of the one that has its number, even if little is read") {
  Server machine;
  machine.run();
  machine.start(7, "bash", {"socket:[5]"}, 300);
  machine.deny("/proc/7/limits");
  machine.deny("/proc/7/cgroup");
  const auto processes = machine.run();
  CHECK(named(processes, 7).owner == Owner());
  CHECK_FALSE(named(processes, 7).soft_limit);
}

TEST_CASE("a process whose name never could be read is not named but counted as unreadable") {
  Server machine;
  for (const auto& bad : {Result<std::string>(unexpected(Errc::failed, "/proc/7/stat: Too many open files")),
                          Result<std::string>("7 (ngi")}) {
    machine.files["/proc/7/stat"] = bad;
    const auto processes = machine.run();
    CHECK(processes.processes.empty());
    CHECK(processes.total == 1);
    CHECK(processes.unreadable == 1);
  }
  machine.start(7, "nginx", {"socket:[5]"});
  const auto processes = machine.run();
  CHECK(owners_of(processes, 5) == std::vector{7});
  CHECK(processes.unreadable == 0);
}

TEST_CASE("processes whose open descriptors or limit may not be read are counted") {
  Machine machine;
  for (const int pid : {1, 7, 8, 9}) machine.start(pid, "app", {"/dev/null"});
  CHECK(machine.run().uncounted == 0);
  machine.deny("/proc/7/fd");
  CHECK(machine.run().uncounted == 1);
  machine.start(7, "app", {"/dev/null"});
  CHECK(machine.run().uncounted == 0);

  Machine denied;
  for (const int pid : {1, 7, 8, 9}) denied.start(pid, "app", {"/dev/null"});
  denied.deny("/proc/7/limits");
  denied.files["/proc/8/limits"] = "not as documented";
  denied.deny("/proc/9/stat");
  const auto processes = denied.run();
  CHECK(processes.uncounted == 3);
  CHECK(processes.total == 4);
}

TEST_CASE(
    "a limit that was read once is known still, and a process that ended is none that may not be read") {
  Machine machine;
  for (const int pid : {1, 7, 8}) machine.start(pid, "app", {"/dev/null"});
  machine.run();
  machine.deny("/proc/7/limits");
  machine.sizes.erase("/proc/8/fd");
  CHECK(machine.run(60s).uncounted == 0);
  machine.remove_files_of(8);
  CHECK(machine.run(60s).uncounted == 0);
}

TEST_CASE("where descriptors have to be listed, those of others are denied, and kernel threads have none") {
  Machine machine;
  machine.sizes_count = false;
  for (const int pid : {1, 2, 7, 8}) machine.start(pid, "app", {"/dev/null"});
  for (const int pid : {1, 2, 8}) machine.deny("/proc/" + std::to_string(pid) + "/fd");
  machine.files["/proc/2/stat"] =
      "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0 18446744073709551615 0 0\n";
  machine.files["/proc/8/stat"] = "8 (app) Z 1 8 8 0 -1 4228108 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0 0 0 0\n";
  CHECK(machine.run().uncounted == 1);
  CHECK(machine.run().uncounted == 1);  // nor when it is not tried again
}

TEST_CASE("a /proc without process 1 hides others, too") {
  Machine machine;
  machine.start(7, "app", {"/dev/null"});
  CHECK(machine.run().some_hidden);
  machine.start(1, "init", {"/dev/null"});
  CHECK_FALSE(machine.run().some_hidden);
}

TEST_CASE("the fullest by share of their limit are kept, and owners besides, in the order of their numbers") {
  Machine machine;
  for (int pid = 1; pid <= 80; ++pid)
    machine.start(pid, "p" + std::to_string(pid),
                  std::vector<std::string>(static_cast<std::size_t>(pid), "/x"));
  machine.start(3, "server", {"socket:[5]"});
  machine.limit(80, "unlimited");
  machine.listen({5});
  const auto processes = machine.run();
  CHECK(processes.total == 80);
  REQUIRE(processes.processes.size() == 51);
  CHECK(processes.processes[0].pid == 3);
  CHECK(processes.processes[1].pid == 30);
  CHECK(processes.processes.back().pid == 79);
  CHECK(find(processes, 80) == nullptr);
}

TEST_CASE("of very many owners some are left out and counted") {
  Machine machine;
  for (int pid = 1; pid <= 1100; ++pid) machine.start(pid, "worker", {"socket:[5]"});
  machine.listen({5});
  const auto processes = machine.run();
  CHECK(owners_of(processes, 5).size() >= ProcessesReader::kOwners);
  CHECK(processes.owners_cut == 100);
  CHECK(processes.processes.size() <= ProcessesReader::kOwners + kFullest);
}

TEST_CASE("of a process with very many descriptors the lowest are looked at, without listing them") {
  Machine machine;
  machine.start(7, "proxy", {"/dev/null", "socket:[5]"});
  machine.sizes["/proc/7/fd"] = 1'000'000;
  machine.listen({5});
  const auto processes = machine.run();
  CHECK(owners_of(processes, 5) == std::vector{7});
  CHECK(processes.unreadable == 1);
  CHECK(machine.links_read == SocketSweep::kLinksPerProcess);
  CHECK(machine.directories_listed == 1);
}

TEST_CASE("a run looks at a bounded number of descriptors and goes on behind them in the next one") {
  Machine machine;
  machine.start_many(1, 30);
  machine.start(31, "server", {"socket:[5]"});
  machine.run();
  machine.listen({5});
  const auto first = machine.run();
  CHECK(machine.links_read == 9000);  // the ninth process has the one that is the bound
  CHECK(owners_of(first, 5).empty());
  CHECK(first.unreadable == 22);
  for (int run = 0; run < 2; ++run) machine.run();
  const auto last = machine.run();
  CHECK(machine.links_read < SocketSweep::kLinksPerRun);
  CHECK(owners_of(last, 5) == std::vector{31});
  CHECK(last.unreadable == 0);
}

TEST_CASE("a process with a high number is reached even if a listening socket appears in every run") {
  Machine machine;
  machine.start_many(1, 30);
  machine.start(31, "server", {"socket:[5]"});
  machine.run();
  std::vector<std::uint32_t> inodes = {5};
  for (int run = 0; run < 4; ++run) {
    machine.listen(inodes);
    inodes.push_back(1000 + static_cast<std::uint32_t>(run));
    machine.run();
    CHECK(machine.links_read < 10'000);
  }
  CHECK(owners_of(machine.run(), 5) == std::vector{31});
}

TEST_CASE("among very many descriptors those of new processes and of owners are looked at first") {
  Machine machine;
  machine.start_many(1, 40);
  machine.start(50, "server", {"socket:[5]"});
  machine.listen({5});
  for (int run = 0; run < 10; ++run) machine.run();
  machine.start(50, "server", {"socket:[5]", "socket:[6]"});
  machine.start(60, "new", {"socket:[7]"});
  machine.listen({5, 6, 7});
  const auto processes = machine.run();
  CHECK(owners_of(processes, 6) == std::vector{50});
  CHECK(owners_of(processes, 7) == std::vector{60});
}

TEST_CASE("owners with very many descriptors do not keep the others from their turn") {
  Machine machine;
  machine.start_many(1, 5);
  machine.start(6, "server", {"socket:[6]"});
  for (int pid = 7; pid <= 9; ++pid) {
    machine.start(pid, "proxy", {"socket:[5]"});
    machine.sizes["/proc/" + std::to_string(pid) + "/fd"] = 100'000;
  }
  machine.run();
  std::vector<std::uint32_t> inodes = {5, 6};
  for (int run = 0; run < 10; ++run) {
    machine.listen(inodes);
    inodes.push_back(1000 + static_cast<std::uint32_t>(run));
    machine.run();
    CHECK(machine.links_read <= SocketSweep::kLinksPerRun * 5 / 2);
  }
  const auto processes = machine.run();
  CHECK(owners_of(processes, 5) == std::vector{7, 8, 9});
  CHECK(owners_of(processes, 6) == std::vector{6});
}

TEST_CASE("after a look at all processes that took several runs the next one waits") {
  Machine machine;
  machine.start_many(1, 10);
  machine.run();
  machine.listen({5});
  machine.run();
  machine.run();
  CHECK(machine.links_read == 1000);
  machine.start(4, "server", std::vector<std::string>(1000, "socket:[6]"));
  machine.listen({5, 6});
  machine.run();
  CHECK(machine.links_read == 0);
  CHECK(owners_of(machine.run(), 6) == std::vector{4});
}

TEST_CASE("descriptors that may not be looked at do not use up what a run may look at") {
  Machine machine;
  for (int pid = 1; pid <= 20; ++pid) {
    machine.start(pid, "proxy", {"socket:[6]"});
    machine.sizes["/proc/" + std::to_string(pid) + "/fd"] = 20'000;
    machine.deny("/proc/" + std::to_string(pid) + "/fd/0");
  }
  machine.start(21, "own", {"socket:[5]"});
  machine.listen({5});
  CHECK(owners_of(machine.run(), 5) == std::vector{21});
}

TEST_CASE("the holder of a socket in CLOSE_WAIT is named with it, whether it owns a listener or not") {
  Machine machine;
  machine.start(7, "client", {"socket:[70]", "socket:[71]", "socket:[72]"});
  machine.start(8, "nginx", {"socket:[5]", "socket:[73]"});
  for (const int pid : {7, 8}) machine.limit(pid, "1000");
  machine.listen({5});
  machine.leave_in_close_wait({72, 70, 73, 99});
  const auto processes = machine.run();
  CHECK(named(processes, 7).close_wait_inodes == std::vector<std::uint32_t>{70, 72});
  CHECK(named(processes, 7).listener_inodes.empty());
  CHECK(named(processes, 7).comm == "client");
  CHECK(named(processes, 7).state == 'S');
  CHECK(named(processes, 8).close_wait_inodes == std::vector<std::uint32_t>{73});
  CHECK(named(processes, 8).listener_inodes == std::vector<std::uint32_t>{5});
}

TEST_CASE("a process is named no more when the sockets in CLOSE_WAIT are closed") {
  Machine machine;
  machine.start(7, "client", {"socket:[70]"});
  machine.limit(7, "1000");
  machine.leave_in_close_wait({70});
  CHECK(machine.run().processes.size() == 1);
  machine.leave_in_close_wait({});
  CHECK(machine.run().processes.empty());
}

TEST_CASE("a socket in CLOSE_WAIT that only the latest dump has shown is not looked for") {
  Machine machine;
  machine.start(7, "client", {"socket:[70]"});
  machine.run();
  machine.leave_in_close_wait({70}, 0s);
  CHECK(machine.run().processes.at(0).close_wait_inodes.empty());
  CHECK(machine.links_read == 0);
}

TEST_CASE("only the oldest sockets in CLOSE_WAIT are looked for") {
  Machine machine;
  std::vector<std::uint32_t> inodes;
  std::vector<std::string> links;
  for (std::uint32_t inode = 1; inode <= Processes::kCloseWaitsOwned + 10; ++inode) {
    inodes.push_back(inode);
    links.push_back("socket:[" + std::to_string(inode) + "]");
  }
  machine.start(7, "client", links);
  machine.leave_in_close_wait(inodes);
  const auto processes = machine.run();
  CHECK(named(processes, 7).close_wait_inodes.size() == Processes::kCloseWaitsOwned);
  CHECK(named(processes, 7).close_wait_inodes.back() == Processes::kCloseWaitsOwned);
}

TEST_CASE("a new socket in CLOSE_WAIT is looked for where it is likely to be, and only then everywhere") {
  Machine machine;
  machine.start(7, "nginx", {"socket:[5]", "/dev/null"});
  machine.start(8, "client", {"/dev/null", "/dev/null"});
  machine.limit(8, "1000");
  machine.listen({5});
  machine.run();
  machine.run(SocketSweep::kInterval);
  SECTION("its holder owns a listener") {
    machine.start(7, "nginx", {"socket:[5]", "socket:[70]"});
    machine.leave_in_close_wait({70});
    CHECK(named(machine.run(), 7).close_wait_inodes == std::vector<std::uint32_t>{70});
    CHECK(machine.links_read == 2);
    machine.run();
    CHECK(machine.links_read == 0);
  }
  SECTION("its holder is any process") {
    machine.start(8, "client", {"/dev/null", "socket:[70]"});
    machine.limit(8, "1000");
    machine.leave_in_close_wait({70});
    CHECK(find(machine.run(), 8) == nullptr);
    CHECK(machine.links_read == 2);
    CHECK(named(machine.run(), 8).close_wait_inodes == std::vector<std::uint32_t>{70});
    CHECK(machine.links_read == 4);
  }
  SECTION("nobody who could be read holds it") {
    machine.leave_in_close_wait({70});
    machine.run();
    machine.run();
    CHECK(machine.links_read == 4);
    for (int run = 0; run < 10; ++run) {
      machine.run();
      CHECK(machine.links_read <= 2);  // the owner, once a minute
    }
  }
  SECTION("there are always new ones") {
    std::uint64_t read = 0;
    for (std::uint32_t run = 0; run < 12; ++run) {
      machine.leave_in_close_wait({100 + run});
      machine.run();
      read += machine.links_read;
    }
    CHECK(read <= 6 * 2 + 2 * 4);  // the owner every second run, all twice in a minute
  }
}

TEST_CASE("the wait channel is read of those that own a listener with connections in its queue") {
  Machine machine;
  machine.start(7, "stuck", {"socket:[5]"});
  machine.start(8, "idle", {"socket:[6]"});
  machine.files["/proc/7/wchan"] = "futex_do_wait";
  machine.listen({5}, 3);
  CHECK(named(machine.run(), 7).wait_channel == "futex_do_wait");
  CHECK(named(machine.run(), 7).state == 'S');
  machine.listen({5});
  CHECK(named(machine.run(), 7).wait_channel.empty());
  machine.listen({5}, 3);
  for (const auto& unknown : {Result<std::string>("0"), Result<std::string>("two words"),
                              Result<std::string>(unexpected(Errc::denied, "/proc/7/wchan: denied"))}) {
    machine.files["/proc/7/wchan"] = unknown;
    CHECK(named(machine.run(), 7).wait_channel.empty());
  }
}

TEST_CASE("the state of a process that could not be read this time is not known") {
  Server machine;
  CHECK(named(machine.run(), 7).state == 'S');
  machine.files["/proc/7/stat"] = unexpected(Errc::failed, "/proc/7/stat: Too many open files");
  CHECK(named(machine.run(), 7).state == 0);
}

TEST_CASE("a process that has exited holds no listening socket any more, its child does") {
  Machine machine;
  machine.start(7, "parent", {"socket:[5]"});
  machine.start(8, "child", {"socket:[5]"});
  machine.listen({5});
  REQUIRE(find(machine.run(), 7) != nullptr);
  auto& stat = machine.files["/proc/7/stat"];
  stat->replace(stat->find(") S"), 3, ") Z");
  const auto processes = machine.run();
  CHECK((find(processes, 7) == nullptr || named(processes, 7).listener_inodes.empty()));
  CHECK(named(processes, 8).listener_inodes == std::vector<std::uint32_t>{5});
}

TEST_CASE("a /proc that cannot be listed is the section's error, an empty one is no processes") {
  Machine machine;
  machine.deny("/proc");
  const auto denied = machine.reader({machine, machine.now, machine.previous});
  REQUIRE_FALSE(denied);
  CHECK(denied.error().code == Errc::denied);
  machine.directories["/proc"] = std::vector<std::string>{};
  CHECK(machine.run().total == 0);
}

namespace {

/// With `open` of `limit` descriptors open.
void fill(Machine& machine, int pid, int user, std::size_t open, std::size_t limit) {
  machine.start(pid, "app" + std::to_string(pid), std::vector<std::string>(open, "/x"));
  const auto directory = "/proc/" + std::to_string(pid);
  machine.files[directory + "/limits"] = limits_text(std::to_string(limit), std::to_string(limit));
  const auto id = "\t" + std::to_string(user);
  machine.files[directory + "/status"] = "Name:\tapp\nUid:" + id + id + id + id + "\n";
}

}  // namespace

TEST_CASE("processes that have locked themselves in do not push out one near its limit") {
  Machine machine;
  for (int pid = 100; pid < 200; ++pid) fill(machine, pid, 1000, 3, 1);
  fill(machine, 7, 0, 60, 64);
  const auto processes = machine.run();
  CHECK(find(processes, 7) != nullptr);
  CHECK(processes.fullest_cut == 0);
}

TEST_CASE("very many processes of one user do not push out another's, and those left out are counted") {
  Machine machine;
  for (int pid = 100; pid < 600; ++pid) fill(machine, pid, 1000, 95, 100);
  fill(machine, 7, 0, 90, 100);
  fill(machine, 8, 33, 50, 100);
  const auto processes = machine.run();
  CHECK(named(processes, 7).uid == 0U);
  CHECK(find(processes, 8) != nullptr);
  CHECK(processes.processes.size() == kFullest);
  CHECK(processes.fullest_cut == 502 - kFullest);
  CHECK(processes.fullest_cut_ratio == 0.95);
}

TEST_CASE("very many units of one user do not push out another user's process") {
  Machine machine;
  for (int pid = 100; pid < 600; ++pid) {
    fill(machine, pid, 1000, 95, 100);
    machine.files["/proc/" + std::to_string(pid) + "/cgroup"] =
        "0::/user.slice/own-" + std::to_string(pid) + ".service\n";
  }
  fill(machine, 7, 0, 81, 100);
  CHECK(find(machine.run(), 7) != nullptr);
}

TEST_CASE("very many processes at one listener leave the owners of the others") {
  Machine machine;
  for (int pid = 1; pid <= 1100; ++pid) machine.start(pid, "worker", {"socket:[5]"});
  machine.start(2000, "nginx", {"socket:[6]"});
  machine.listen({5, 6});
  const auto processes = machine.run();
  CHECK(owners_of(processes, 6) == std::vector{2000});
  CHECK(owners_of(processes, 5).size() == ProcessesReader::kOwners - 1);
  CHECK(processes.owners_cut == 101);
  REQUIRE(processes.crowded.size() == 1);
  CHECK(processes.crowded[0].inode == 5);
  CHECK(processes.crowded[0].holders == 1100);
}

TEST_CASE("of very many owners of a socket those stay that are stopped, and the first to start") {
  Machine machine;
  for (int pid = 1; pid <= 1100; ++pid) machine.start(pid, "worker", {"socket:[5]"}, 5000 - pid);
  machine.files["/proc/3/stat"] =
      "3 (worker) T 1 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 4997 1000 10 18446744073709551615 1 1\n";
  machine.listen({5});
  const auto processes = machine.run();
  CHECK(find(processes, 3) != nullptr);
  CHECK(find(processes, 1100) != nullptr);
  CHECK(find(processes, 60) == nullptr);
}

TEST_CASE("the wait channel of one that is waited for is read however many another user has") {
  Machine machine;
  auto listeners = std::make_shared<Listeners>();
  for (std::uint32_t inode = 1; inode <= 300; ++inode) {
    machine.start(static_cast<int>(inode), "worker", {"socket:[" + std::to_string(inode) + "]"});
    listeners->listeners.push_back({.sockets = {{.inode = inode, .uid = 1000, .queue_length = 1}}});
  }
  machine.start(999, "nginx", {"socket:[999]"}, 9000);
  machine.files["/proc/999/wchan"] = "futex_do_wait";
  listeners->listeners.push_back({.sockets = {{.inode = 999, .uid = 0, .queue_length = 1}}});
  machine.previous.namespaces.resize(1);
  machine.previous.namespaces[0].listeners.value = std::move(listeners);
  CHECK(named(machine.run(), 999).wait_channel == "futex_do_wait");
}

TEST_CASE("the oldest sockets in CLOSE_WAIT of one user do not push out all of another's") {
  Machine machine;
  auto connections = std::make_shared<Connections>();
  for (std::uint32_t inode = 1; inode <= 2 * Processes::kCloseWaitsOwned; ++inode)
    connections->close_wait.push_back({.inode = inode, .uid = 1000, .first_seen = machine.now - 90s});
  connections->close_wait.push_back({.inode = 9999, .uid = 33, .first_seen = machine.now - 60s});
  machine.previous.namespaces.resize(1);
  machine.previous.namespaces[0].connections = {.value = std::move(connections), .read_at = machine.now};
  machine.start(7, "client", {"socket:[9999]"});
  const auto processes = machine.run();
  CHECK(named(processes, 7).close_wait_inodes == std::vector<std::uint32_t>{9999});
}
