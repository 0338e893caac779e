// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collectors/netns_door.h"
#include "collectors/netns_paths.h"
#include "daemon/clock.h"
#include "daemon/cycle.h"

namespace tcpdiag {

/// When a dump of sockets is given up.
struct DumpDeadlines {
  std::chrono::milliseconds loop{10000};
  std::chrono::milliseconds worker{10000};
};

/// The host's namespace and these.
std::vector<std::string> with_host(const std::vector<std::string>& namespaces);

/// Sources that read this machine. A dump ends once `stopping`. `paths`: where namespaces are that were
/// found. `open_door`: as in LiveOptions.
OpenSource open_this_machine(const Clocks& clocks, std::function<bool()> stopping,
                             DumpDeadlines deadlines = {}, std::shared_ptr<const NetnsPaths> paths = {},
                             OpenDoor open_door = {});

}  // namespace tcpdiag
