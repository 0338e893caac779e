// SPDX-License-Identifier: Apache-2.0
// What the collector `processes` remembers of each process between its runs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "collectors/proc_pid.h"
#include "core/owner.h"
#include "core/section.h"

namespace tcpdiag {

struct Reading;

/// How many descriptors a process has open (collectors/open_descriptors.h).
struct OpenDescriptors {
  Count count;           ///< empty: not known
  bool failed = false;   ///< they are there, and could not be counted at the latest attempt
  bool fullest = false;  ///< in the latest run it was one of those nearest to their limit
};

/// Which sockets a process holds whose owners are looked for (collectors/socket_sweep.h).
struct HeldSockets {
  bool due = true;                        ///< they are to be looked up
  std::optional<TimePoint> looked_up_at;  ///< empty: never
  std::vector<std::uint32_t> listening;   ///< inodes of those that it held then; ordered
  std::vector<std::uint32_t> close_wait;  ///< the same of those in CLOSE_WAIT, as far as they still are
  bool incomplete = false;                ///< they could not be looked up, or not all
  bool gone = false;                      ///< it had no descriptors to list: looked up again if it is back

  [[nodiscard]] bool any() const { return !listening.empty() || !close_wait.empty(); }
};

/// A process, and what was read of it last.
struct KnownProcess {
  std::optional<TimePoint> read_at;  ///< when stat, limits and owner were; empty: never
  std::optional<PidStat> stat;       ///< empty: never could be read
  std::optional<FdLimits> limits;    ///< the same
  bool limits_failed = false;        ///< they are there, and could not be read at the latest attempt
  Owner owner;
  std::optional<std::uint32_t> uid;  ///< the real one; empty: never could be read, or not asked for
  OpenDescriptors descriptors;
  HeldSockets held;

  /// Whether it is one of those that are told with their names.
  [[nodiscard]] bool is_named() const { return descriptors.fullest || held.any(); }
};

/// By pid.
using KnownProcesses = std::map<std::int32_t, KnownProcess>;

/// Leaves those that are listed, the new ones with nothing known. The pids are ordered.
void keep_listed(KnownProcesses& processes, const std::vector<std::int32_t>& pids);

/// Whether it is time to read a process again: 30 to 60 s after the last time, so that those which were found
/// in one run are not read again in one run.
bool is_due(std::int32_t pid, const KnownProcess& process, TimePoint now);

/// Whether it is named and was not read in this run: a socket must not be told with the name of the program
/// before the present one, or of the process that had the pid before.
bool is_named_unread(std::int32_t pid, const KnownProcess& process, TimePoint now);

/// Reads stat, limits and owner of those processes, and forgets those that have ended. What fails stays as it
/// was known; of one that has the pid of another which ended, nothing does.
void refresh_if(bool (*is_meant)(std::int32_t, const KnownProcess&, TimePoint), KnownProcesses& processes,
                const Reading& reading);

}  // namespace tcpdiag
