// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "collectors/closed_sockets.h"
#include "collectors/collector.h"
#include "collectors/known_processes.h"
#include "collectors/socket_sweep.h"
#include "collectors/wanted_sockets.h"

namespace tcpdiag {

/// Reads the processes that hold a listening socket or one in CLOSE_WAIT, and those whose descriptors are
/// nearest to their limit.
///
/// Where there are more owners than are kept, they are shared out among the users and the sockets: of each
/// socket those come first that are stopped or at their limit, then those that started first. So no user's
/// processes push out all of another's.
class ProcessesReader {
 public:
  Result<Processes> operator()(const Reading& reading);

  static constexpr std::size_t kOwners = 1000;
  /// Owners whose wait channel is read in a run: of those alone that own a listener with connections waiting,
  /// the first as above.
  static constexpr std::size_t kWaitChannels = 128;

 private:
  KnownProcesses known_;
  WantedSockets wanted_;
  SocketSweep sweep_;
  ClosedSockets closed_;
};

}  // namespace tcpdiag
