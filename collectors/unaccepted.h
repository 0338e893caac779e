// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/snapshot.h"

namespace tcpdiag {

/// Follows connections that wait in accept queues from one dump to the next by their cookies, kMost of them
/// at most: tells whether those of the dump before still wait.
class UnacceptedFollower {
 public:
  static constexpr std::size_t kMost = 65536;

  /// One that the present dump shows; what it shows twice is one.
  void add(std::uint16_t port, std::uint64_t cookie);
  /// Ends a dump: sets PortConnections::unaccepted_left in each of `rows`, which are ordered by port. It
  /// stays empty when there was no dump before, or that one showed more than can be followed.
  void finish(std::vector<PortConnections>& rows);
  /// Begins anew after a dump that failed half-way; what the one before it showed stays.
  void discard();
  /// The dump before showed another namespace: nothing is known of this one.
  void forget();

 private:
  [[nodiscard]] std::size_t slot_of(std::uint64_t key) const;
  void keep_present();

  // A key is a port and 48 bits of a cookie: as the kernel numbers sockets, 2^48 are made before two are
  // alike.
  std::vector<std::uint64_t> present_;  // of this dump, in its order
  bool present_all_ = true;             // there were not too many
  std::vector<std::uint64_t> before_;   // of the dump before: open addressing, 0 is an empty slot
  std::vector<bool> still_there_;       // by slot: this dump has shown it again
  bool before_known_ = false;
};

}  // namespace tcpdiag
