// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/known_processes.h"
#include "collectors/wanted_sockets.h"

namespace tcpdiag {

/// Finds the processes that hold the wanted sockets, by the links of /proc/PID/fd.
///
/// A process is looked at when it appears, one that holds a wanted socket once a minute, and all processes
/// when a listening socket appears, or has lost its last owner and kInterval has passed. For sockets in
/// CLOSE_WAIT, first those are looked at that own a listener or such a socket or are among the fullest, at
/// most every kCloseWaitInterval; then all, at most every kInterval. A run looks at a bounded number of
/// descriptors, of new processes and owners first; the next run goes on behind the last one.
class SocketSweep {
 public:
  /// Looks at the processes that are due. `owned_before`: the sockets that had an owner in the run before.
  void run(KnownProcesses& processes, const WantedSockets& wanted, const Inodes& owned_before,
           const Reading& reading);

  static constexpr std::chrono::seconds kInterval{30};
  /// After a sweep of all that took several runs; none is needed after one that a single run could do.
  static constexpr std::chrono::seconds kLongSweepRest{10};
  static constexpr std::chrono::seconds kRecheckInterval{60};
  static constexpr std::chrono::seconds kCloseWaitInterval{8};
  /// Of one process, its lowest descriptors; the sockets behind further ones are not seen.
  static constexpr std::uint64_t kLinksPerProcess = 8192;
  /// Some 50 ms. New processes and owners get half of it and the others what is left, but at least one
  /// process each; with the last process of each, which is looked at whole, it may become up to 2.5 times as
  /// many.
  static constexpr std::uint64_t kLinksPerRun = 8192;

 private:
  bool begin_likely(const Inodes& close_wait, TimePoint now);
  bool begin_all(const WantedSockets& wanted, TimePoint now);
  void plan(KnownProcesses& processes, const WantedSockets& wanted, const Inodes& owned_before,
            TimePoint now);

  struct {
    Inodes sockets;  // that it looks for, as far as they are still wanted
    std::optional<TimePoint> began_at, ended_at;
  } all_;  // the latest sweep of all processes
  struct {
    Inodes sockets;  // in CLOSE_WAIT
    std::optional<TimePoint> began_at;
  } likely_;                  // when likely owners were looked at last, and for what
  bool all_due_ = false;      // a socket has no known owner any more: a sweep of all waits for its interval
  std::int32_t cursor_ = -1;  // the pid behind which the next run goes on
};

/// The sockets that the processes hold.
Inodes owned_by(const KnownProcesses& processes);

/// Leaves of the sockets in CLOSE_WAIT that processes hold those that are wanted still.
void forget_closed(KnownProcesses& processes, const Inodes& close_wait);

/// Of all processes together, of the listening sockets that they hold; of those that hold most, some are not
/// seen where there are more.
inline constexpr std::size_t kSocketsHeld = 262144;

/// Cuts those that hold most to the same number. Children inherit what their parent holds: many processes may
/// hold very many sockets each.
void bound_held_sockets(KnownProcesses& processes);

}  // namespace tcpdiag
