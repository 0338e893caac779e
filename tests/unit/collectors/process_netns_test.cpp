// SPDX-License-Identifier: Apache-2.0
#include "collectors/process_netns.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

constexpr std::string_view kFirst = "net:[1]", kInner = "net:[2]", kOther = "net:[3]";

// Processes 7 and 8 at their limit; 8 holds a listener that is looked at.
Processes two_full() {
  return {.processes = {{.pid = 7, .open_fds = 90, .soft_limit = 100},
                        {.pid = 8, .open_fds = 90, .soft_limit = 100, .listener_inodes = {77}}}};
}

struct SeenFrom : FakeSource {
  explicit SeenFrom(std::string_view own) {
    links["/proc/self/ns/net"] = std::string(own);
    if (own == kFirst) files["/proc/sys/net/core/netdev_max_backlog"] = "1000\n";
    links["/proc/7/ns/net"] = std::string(kOther);
    links["/proc/8/ns/net"] = std::string(kOther);
  }
};

}  // namespace

TEST_CASE("from the machine's first namespace no process is elsewhere") {
  SeenFrom source(kFirst);
  auto processes = two_full();
  mark_elsewhere(source, processes);
  CHECK_FALSE(processes.processes[0].elsewhere);
}

TEST_CASE(
    "from an inner namespace a full process of another one is elsewhere, unless it holds what is looked at") {
  SeenFrom source(kInner);
  auto processes = two_full();
  mark_elsewhere(source, processes);
  CHECK(processes.processes[0].elsewhere);
  CHECK_FALSE(processes.processes[1].elsewhere);
  source.links["/proc/7/ns/net"] = std::string(kInner);
  processes = two_full();
  mark_elsewhere(source, processes);
  CHECK_FALSE(processes.processes[0].elsewhere);
}

TEST_CASE("a process whose namespace cannot be told is not taken to be elsewhere") {
  for (const auto* denied :
       {"/proc/self/ns/net", "/proc/sys/net/core/netdev_max_backlog", "/proc/7/ns/net"}) {
    SeenFrom source(kInner);
    source.deny(denied);
    auto processes = two_full();
    mark_elsewhere(source, processes);
    CHECK_FALSE(processes.processes[0].elsewhere);
  }
}
