// SPDX-License-Identifier: Apache-2.0
#include "core/owners.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

Listener listener_with(std::vector<std::uint32_t> inodes) {
  Listener listener;
  for (const auto inode : inodes) listener.sockets.push_back({.inode = inode});
  return listener;
}

const Processes kProcesses{
    .processes = {{.pid = 1, .start_ticks = 0, .comm = "systemd", .listener_inodes = {5, 9}},
                  {.pid = 30, .start_ticks = 300, .comm = "worker", .listener_inodes = {5, 6}},
                  {.pid = 40, .start_ticks = 200, .comm = "master", .listener_inodes = {5, 6}}}};

}  // namespace

TEST_CASE("a listener belongs to the process that first held it, and to systemd only if nobody else does") {
  const ListenerOwners owners(kProcesses);
  REQUIRE(owners.main(listener_with({5})) != nullptr);
  CHECK(owners.main(listener_with({5}))->comm == "master");
  CHECK(owners.main(listener_with({9}))->comm == "systemd");
}

TEST_CASE("every holder of any member of a listener is named once") {
  const ListenerOwners owners(kProcesses);
  const auto all = owners.all(listener_with({5, 6}));
  REQUIRE(all.size() == 3);
  CHECK(all[0]->pid == 1);
  CHECK(all[1]->pid == 40);
  CHECK(all[2]->pid == 30);
}

TEST_CASE("a listener whose inode nobody holds has no owner") {
  const ListenerOwners owners(kProcesses);
  CHECK(owners.main(listener_with({77, 0})) == nullptr);
  CHECK(owners.all(listener_with({})).empty());
}

TEST_CASE("a process that has exited owns nothing that its child holds") {
  const Processes processes{
      .processes = {{.pid = 30, .start_ticks = 100, .comm = "gone", .listener_inodes = {5}, .state = 'Z'},
                    {.pid = 40, .start_ticks = 200, .comm = "child", .listener_inodes = {5}, .state = 'S'}}};
  const auto listener = listener_with({5});
  REQUIRE(main_owner(processes, listener) != nullptr);
  CHECK(main_owner(processes, listener)->comm == "child");
  CHECK(ListenerOwners(processes).main(listener)->comm == "child");
  CHECK(ListenerOwners(processes).all(listener).size() == 1);
}
