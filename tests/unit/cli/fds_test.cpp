// SPDX-License-Identifier: Apache-2.0
#include "cli/fds.h"

#include <nlohmann/json.hpp>

#include "core/facts/netns_list.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

// A machine with one process, 812, that has five descriptors.
struct Machine : FakeSource {
  Machine() {
    sizes["/proc/self/fd"] = 3;
    sizes["/proc/812/fd"] = 5;
    files["/proc/812/stat"] =
        "812 (gunicorn) S 1 812 812 0 -1 4194304 1 0 0 0 7 3 0 0 20 0 1 0 4711 1000000 500 "
        "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
    files["/proc/812/limits"] =
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max open files            6                    524288               files     \n";
    files["/proc/812/cgroup"] = "0::/system.slice/app.service\n";
    directories["/proc/812/fd"] = std::vector<std::string>{"0", "1", "2", "3", "4"};
    links["/proc/812/fd/0"] = "/dev/null";
    links["/proc/812/fd/1"] = "socket:[100]";
    links["/proc/812/fd/2"] = "socket:[101]";
    links["/proc/812/fd/3"] = "anon_inode:[eventpoll]";
    links["/proc/812/fd/4"] = "/var/log/app.log";
  }
};

}  // namespace

TEST_CASE("the table of descriptors is the one that was looked at") {
  auto report = sample_report();
  auto processes = *report.snapshot.processes.get();
  processes.processes[0].soft_limit.reset();
  processes.processes[1].owner = {};
  processes.processes[2].open_fds = 1024;
  report.snapshot.processes.value = std::make_shared<const Processes>(std::move(processes));
  check_committed("tests/unit/cli/fds.golden.txt", fds_text(report, {}, {}));
}

TEST_CASE("descriptors are shown with a namespace that is not the own one, and of those that were chosen") {
  auto report = sample_report();
  const auto& processes = report.snapshot.processes.get()->processes;
  REQUIRE(processes.size() > 2);
  NetnsOfProcess netns;
  for (const auto& process : processes) netns[process.pid] = "host";
  CHECK_THAT(fds_text(report, netns, {}), !ContainsSubstring("NETNS"));
  const auto pid = processes[1].pid;
  netns[pid] = "shop";
  CHECK_THAT(fds_text(report, netns, {}), Catch::StartsWith("NETNS"));
  const NetnsChoice shop{.own = false, .named = {{.generation = 1, .name = "shop"}}};
  narrow_processes(report, shop, netns);
  REQUIRE(report.snapshot.processes.get()->processes.size() == 1);
  CHECK(report.snapshot.processes.get()->processes[0].pid == pid);
}

TEST_CASE("the namespace of a process is what its link says") {
  struct Links final : FakeSource {
    Links() { links["/proc/812/ns/net"] = "net:[4026532281]"; }
  } source;
  Report report;
  report.snapshot.processes.value =
      std::make_shared<const Processes>(Processes{.processes = {{.pid = 812}, {.pid = 813}}});
  report.snapshot.netns_list.value = std::make_shared<const NetnsList>(
      NetnsList{.namespaces = {{.inode = 4026532281, .generation = 1, .name = "shop"}}});
  CHECK(netns_of_processes(report, source) == NetnsOfProcess{{812, "shop"}});
}

TEST_CASE("no process worth naming and processes that are not known are told apart") {
  auto report = sample_report();
  report.snapshot.processes.value = std::make_shared<const Processes>(Processes{.total = 12});
  CHECK(fds_text(report, {}, {}) ==
        "None of 12 processes listens or uses a tenth or more of its limit of open files.\n");
  report.snapshot.processes.value = std::make_shared<const Processes>(Processes{.total = 12, .uncounted = 3});
  CHECK_THAT(fds_text(report, {}, {}),
             ContainsSubstring("\nCannot tell about others: /proc/PID/fd, /proc/PID/limits: unreadable for 3 "
                               "of 12 processes (needs root"));
  CHECK(fds_text(report_of_errors(), {}, {}).empty());
}

TEST_CASE("a descriptor's kind is told from its link") {
  CHECK(fd_kind("socket:[4711]") == "socket");
  CHECK(fd_kind("pipe:[1]") == "pipe");
  CHECK(fd_kind("anon_inode:[eventpoll]") == "eventpoll");
  CHECK(fd_kind("anon_inode:inotify") == "inotify");
  CHECK(fd_kind("anon_inode:") == "other");
  CHECK(fd_kind("/dev/null") == "device");
  CHECK(fd_kind("/var/log/syslog") == "file");
  CHECK(fd_kind("/tmp/x (deleted)") == "deleted file");
  CHECK(fd_kind("/memfd:shm (deleted)") == "memfd");
  CHECK(fd_kind("net:[4026531840]") == "namespace");
  CHECK(fd_kind("") == "other");
  CHECK(fd_kind("odd") == "other");
}

TEST_CASE("a process is shown with its limit and the kinds of its descriptors") {
  Machine machine;
  const auto fds = read_process_fds(machine, 812);
  REQUIRE(fds);
  CHECK(fds->listed);
  CHECK(to_text(*fds, {}) ==
        "gunicorn[812] of app.service: 5 descriptors open, soft limit 6 (83% used), hard limit 524288\n"
        "\n"
        "KIND       DESCRIPTORS\n"
        "socket               2\n"
        "device               1\n"
        "eventpoll            1\n"
        "file                 1\n");
  const auto json = nlohmann::json::parse(to_json_text(*fds));
  CHECK(json["pid"] == 812);
  CHECK(json["soft_limit"] == 6);
  CHECK(json["kinds"]["socket"] == 2);
  CHECK_FALSE(json.contains("error"));
}

TEST_CASE("the TCP sockets of a process are shown by state, and those that are closed already") {
  Machine machine;
  machine.directories["/proc/812/fd"] = std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7"};
  for (const auto* fd : {"5", "6", "7"})
    machine.links[std::string("/proc/812/fd/") + fd] = std::string("socket:[10") + fd + "]";
  for (const auto* fd : {"1", "2", "5", "6"}) machine.protocols[std::string("/proc/812/fd/") + fd] = "TCPv6";
  machine.protocols["/proc/812/fd/7"] = "UNIX-STREAM";
  machine.messages = {to_message({.state = TcpState::close_wait, .inode = 100}),
                      to_message({.state = TcpState::close_wait, .inode = 101}),
                      to_message({.state = TcpState::listen, .inode = 105}),
                      to_message({.state = TcpState::established, .inode = 4711}),
                      to_message({.state = TcpState::time_wait, .inode = 0}),
                      "cut off"};
  auto fds = read_process_fds(machine, 812);
  REQUIRE(fds);
  add_tcp_states(*fds, machine);
  CHECK_THAT(to_text(*fds, {}), ContainsSubstring("\n\n"
                                                  "TCP STATE   DESCRIPTORS\n"
                                                  "close_wait            2\n"
                                                  "closed                1\n"
                                                  "listen                1\n"));
  const auto json = nlohmann::json::parse(to_json_text(*fds));
  CHECK(json["tcp_states"] == nlohmann::json({{"close_wait", 2}, {"closed", 1}, {"listen", 1}}));
  CHECK_FALSE(json.contains("tcp_error"));
}

TEST_CASE("a socket whose protocol is not known is closed only where it is known to be one of TCP") {
  Machine machine;
  machine.messages = {to_message({.state = TcpState::established, .inode = 100})};
  auto fds = read_process_fds(machine, 812);
  add_tcp_states(*fds, machine);
  CHECK(fds->tcp_states == std::map<std::string, std::uint64_t>{{"established", 1}});
}

TEST_CASE("without the socket table nothing is said to be closed") {
  Machine machine;
  machine.protocols["/proc/812/fd/1"] = "TCP";
  machine.dump_outcome = unexpected(Errc::denied, "sock_diag: Operation not permitted");
  auto fds = read_process_fds(machine, 812);
  add_tcp_states(*fds, machine);
  CHECK(fds->tcp_states.empty());
  CHECK(fds->tcp_known.error().code == Errc::denied);
  const auto json = nlohmann::json::parse(to_json_text(*fds));
  CHECK_FALSE(json.contains("tcp_states"));
  CHECK(json["tcp_error"]["code"] == "denied");
}

TEST_CASE("a process that does not exist is said to be none") {
  Machine machine;
  CHECK(read_process_fds(machine, 4711).error() == Error{Errc::missing, "no process has pid 4711"});
  machine.files["/proc/812/stat"] = "812 (gunicorn";
  CHECK(read_process_fds(machine, 812).error().code == Errc::malformed);
}

TEST_CASE("descriptors that may not be listed leave their number and say what it takes") {
  Machine machine;
  machine.directories["/proc/812/fd"] = unexpected(Errc::denied, "/proc/812/fd: Permission denied");
  const auto fds = read_process_fds(machine, 812);
  REQUIRE(fds);
  CHECK(fds->process.open_fds == 5U);
  REQUIRE_FALSE(fds->listed);
  CHECK(fds->listed.error().detail ==
        "/proc/812/fd: Permission denied; that takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
  const auto json = nlohmann::json::parse(to_json_text(*fds));
  CHECK(json["error"]["code"] == "denied");
  CHECK_FALSE(json.contains("kinds"));

  machine.sizes.clear();  // before Linux 6.2 nobody says how many there are
  CHECK_THAT(to_text(*read_process_fds(machine, 812), {}),
             ContainsSubstring(": ? descriptors open, soft limit 6, "));
}

TEST_CASE("descriptors are counted by listing them where the kernel gives no size") {
  Machine machine;
  machine.sizes["/proc/self/fd"] = 0;
  machine.sizes["/proc/812/fd"] = 0;
  machine.links.erase("/proc/812/fd/4");  // closed meanwhile
  const auto fds = read_process_fds(machine, 812);
  CHECK(fds->process.open_fds == 5U);
  CHECK(fds->listed);
}

TEST_CASE("links that may not be read are no descriptors of kind other") {
  Machine machine;
  for (auto& [path, link] : machine.links) link = unexpected(Errc::denied, path + ": Permission denied");
  machine.files.erase("/proc/812/limits");
  const auto fds = read_process_fds(machine, 812);
  CHECK(fds->kinds.empty());
  CHECK(fds->listed.error().code == Errc::denied);
  CHECK(to_text(*fds, {}) ==
        "gunicorn[812] of app.service: 5 descriptors open, soft limit ?, hard limit ?\n");
}
