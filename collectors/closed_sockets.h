// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "collectors/collector.h"
#include "core/facts/processes.h"

namespace tcpdiag {

/// Finds TCP sockets that a process still holds as descriptors though the kernel's socket table shows them no
/// more: their connections are over, and nobody has closed them.
///
/// It costs nothing while fewer than kWorthALook of all TCP sockets of the machine (sockstat: alloc) are
/// missing from the tables: then every process has fewer, which is told as 0. Otherwise it looks at the
/// processes that are named anyway, and counts what two looks in a row find missing: a socket that was made a
/// moment ago is not in the table either.
///
/// What it does not see: processes of another network namespace than the daemon's own, because only its table
/// is looked at (a socket that was made in another one and handed over would be counted); descriptors beyond
/// the lowest kLinksPerProcess, which is where leaked ones gather; sockets of MPTCP. A socket that is bound
/// and not connected is taken for a closed one.
class ClosedSockets {
 public:
  /// Sets what is about closed sockets in `processes` and in each of them, which are ordered by pid.
  void look(const Reading& reading, Processes& processes);

  static constexpr std::uint64_t kWorthALook = 16;
  static constexpr std::size_t kLinksPerProcess = 2048;
  /// Some 25 ms; the last process is looked at whole.
  static constexpr std::size_t kLinksPerRun = 4096;
  /// Between two looks at a process, unless the first one found what the second is to confirm.
  static constexpr std::chrono::seconds kInterval{8};
  /// Two looks that are less apart are one: the shortest time between two runs.
  static constexpr std::chrono::milliseconds kApart{2900};

 private:
  struct Descriptor {
    std::uint32_t number = 0, inode = 0;
  };
  struct Known {
    std::uint64_t start_ticks = 0;
    std::optional<TimePoint> looked_at;
    std::vector<std::uint32_t> missing;  // inodes of TCP sockets that the latest look missed; ordered
    bool unconfirmed = false;            // some of them were not missing at the look before
    bool denied = false;                 // the latest look was
    Count count;
  };
  struct Look {
    Known* known = nullptr;
    std::int32_t pid = 0;
    std::vector<Descriptor> sockets;  // those that it holds, of any protocol
  };

  void keep_only(const std::vector<Process>& processes);
  [[nodiscard]] std::vector<std::int32_t> in_turn() const;
  static Result<std::vector<Descriptor>> sockets_of(Source& source, std::int32_t pid, std::size_t& links);
  std::vector<Look> look_at_due(const Reading& reading);
  static Result<void> remove_shown(Source& source, std::vector<Look>& looks);
  static void conclude(const Reading& reading, const Look& look);

  std::map<std::int32_t, Known> known_;
  std::int32_t cursor_ = -1;  // the pid behind which the next run goes on
};

}  // namespace tcpdiag
