// SPDX-License-Identifier: Apache-2.0
#include "daemon/this_machine.h"

#include "collectors/live_source.h"

namespace tcpdiag {

std::vector<std::string> with_host(const std::vector<std::string>& namespaces) {
  std::vector<std::string> all = {kHostNetns};
  all.insert(all.end(), namespaces.begin(), namespaces.end());
  return all;
}

OpenSource open_this_machine(const Clocks& clocks, std::function<bool()> stopping, DumpDeadlines deadlines,
                             std::shared_ptr<const NetnsPaths> paths) {
  return [clock = clocks.monotonic, stopping = std::move(stopping), deadlines, paths = std::move(paths)](
             const std::string& netns, Thread thread) {
    return make_live_source({.netns = netns == kHostNetns ? "" : netns,
                             .paths = paths,
                             .clock = clock,
                             .dump_deadline = thread == Thread::loop ? deadlines.loop : deadlines.worker,
                             .stopping = stopping});
  };
}

}  // namespace tcpdiag
