// SPDX-License-Identifier: Apache-2.0
#include "daemon/this_machine.h"

#include "collectors/live_source.h"

namespace tcpdiag {

namespace {

// With whoever opens namespaces: a tick must not be late by more than 100 ms.
constexpr std::chrono::milliseconds kLoopsPatience{50}, kWorkersPatience{500};

}  // namespace

std::vector<std::string> with_host(const std::vector<std::string>& namespaces) {
  std::vector<std::string> all = {kHostNetns};
  all.insert(all.end(), namespaces.begin(), namespaces.end());
  return all;
}

OpenSource open_this_machine(const Clocks& clocks, std::function<bool()> stopping, DumpDeadlines deadlines,
                             std::shared_ptr<const NetnsPaths> paths, OpenDoor open_door) {
  return [clock = clocks.monotonic, stopping = std::move(stopping), deadlines, paths = std::move(paths),
          open_door = std::move(open_door)](const std::string& netns, Thread thread) {
    return make_live_source({.netns = netns == kHostNetns ? "" : netns,
                             .paths = paths,
                             .open_door = open_door,
                             .door_patience = thread == Thread::loop ? kLoopsPatience : kWorkersPatience,
                             .clock = clock,
                             .dump_deadline = thread == Thread::loop ? deadlines.loop : deadlines.worker,
                             .stopping = stopping});
  };
}

}  // namespace tcpdiag
