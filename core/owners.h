// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "core/facts/listeners.h"
#include "core/facts/processes.h"

namespace tcpdiag {

/// Tells which processes hold a listener's sockets. Refers to the processes it was made from.
class ListenerOwners {
 public:
  explicit ListenerOwners(const Processes& processes);

  /// Every process that holds one of the listener's sockets, the one that started first in front; none that
  /// has exited. Empty: not known.
  [[nodiscard]] std::vector<const Process*> all(const Listener& listener) const;
  /// The one that a person would name: the first to start, since workers and children inherit the socket from
  /// it; systemd only when nobody else holds it, since it opens sockets for others. nullptr: not known.
  [[nodiscard]] const Process* main(const Listener& listener) const;

 private:
  std::vector<std::pair<std::uint32_t, const Process*>> by_inode_;
};

/// ListenerOwners::all() and main() for one listener alone, without looking at what processes hold besides.
std::vector<const Process*> all_owners(const Processes& processes, const Listener& listener);
const Process* main_owner(const Processes& processes, const Listener& listener);

}  // namespace tcpdiag
