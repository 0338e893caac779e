// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/snapshot.h"

namespace tcpdiag {

using Inodes = std::set<std::uint32_t>;

/// The sockets whose owners are looked for: those that listen, and of those in CLOSE_WAIT the oldest that two
/// dumps have shown. Younger ones may be about to be closed, and there are always some.
class WantedSockets {
  /// Of all network namespaces.
 public:
  Inodes listening;
  Inodes close_wait;  ///< at most Processes::kCloseWaitsOwned, of each user some
  Inodes waited_on;   ///< of the listening ones: those with connections in their accept queue
  std::map<std::uint32_t, std::uint32_t> uids;  ///< of all, by inode: who made the socket

  /// Takes them from what other collectors have found. Where the listeners of a namespace are not known,
  /// those known last stay: their owners own them still.
  void update(const Snapshot& snapshot);

 private:
  std::map<NetnsId, std::map<std::uint32_t, std::uint32_t>> listening_;  // uids, of each network namespace
};

/// Of `inodes`, which are ordered, those that are in the set; ordered.
std::vector<std::uint32_t> those_in(const Inodes& set, const std::vector<std::uint32_t>& inodes);

}  // namespace tcpdiag
