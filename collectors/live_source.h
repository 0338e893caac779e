// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "collectors/netns_door.h"
#include "collectors/netns_paths.h"
#include "collectors/source.h"

namespace tcpdiag {

/// How a live source shall read.
struct LiveOptions {
  /// A network namespace: a name under /run/netns, a path to a namespace file, or a name that `paths` knows.
  /// Empty: the process's own.
  std::string netns;
  std::shared_ptr<const NetnsPaths> paths{};  ///< empty: none
  OpenDoor open_door{};                       ///< of another namespace; empty: by entering it
  std::chrono::milliseconds door_patience{500};
  /// The monotonic clock, for the deadline of a dump.
  std::function<TimePoint()> clock;
  /// A dump that takes longer is given up.
  std::chrono::milliseconds dump_deadline = std::chrono::seconds(10);
  /// Once true, a dump is given up, so that its thread can end. May be empty.
  std::function<bool()> stopping;
};

/// The running kernel as seen from one network namespace. Of another one that may not be entered, which takes
/// CAP_SYS_ADMIN, the files of /proc/net show all the same where a process is known that lives in it; sockets
/// and settings do not. A namespace that does not exist (yet, or any more) makes reads fail with `no_netns`
/// until it is there.
std::unique_ptr<Source> make_live_source(LiveOptions options);

}  // namespace tcpdiag
