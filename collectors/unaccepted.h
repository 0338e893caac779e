// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/facts/connections.h"

namespace tcpdiag {

/// Follows connections that wait in accept queues from one dump to the next by their cookies, kMost of them
/// at most: tells how many of those of the dump before wait no more.
class UnacceptedFollower {
 public:
  static constexpr std::size_t kMost = 65536;

  /// One that the present dump shows; what it shows twice is one.
  void add(std::uint16_t port, std::uint64_t cookie);
  /// Ends a dump: sets PortConnections::unaccepted_left in each of `rows`, which are ordered by port. It
  /// stays empty when there was no dump before, or one of the two showed more than can be followed.
  void finish(std::vector<PortConnections>& rows);
  /// Begins anew after a dump that failed half-way; what the one before it showed stays.
  void discard();
  /// The dump before showed another namespace: nothing is known of this one.
  void forget();

 private:
  [[nodiscard]] std::vector<std::uint64_t> gone() const;
  void remove_present(std::vector<std::uint64_t>& keys) const;

  // A key is a port and 48 bits of a cookie: the kernel makes 2^48 sockets before two are alike.
  std::vector<std::uint64_t> present_;  // of this dump, in its order
  bool present_all_ = true;             // there were not too many
  std::vector<std::uint64_t> before_;   // of the dump before, in its order
  bool before_known_ = false;
};

}  // namespace tcpdiag
