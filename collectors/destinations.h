// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/facts/connections.h"

namespace tcpdiag {

/// Counts sockets per (source, destination, port) in bounded memory: exact for up to kCounters different
/// ones. Beyond that every count may be too low by undercount(), at most the sockets added divided by
/// kCounters (Misra and Gries, "Finding repeated elements", 1982). So no destination that is near the end of
/// a port range can hide among any number of others.
class DestinationCounter {
 public:
  static constexpr std::size_t kCounters = 4096;

  /// `held_by` is what holds the port: Destination::time_wait and the like; nullptr: an open connection.
  void add(const IpAddress& source, const IpAddress& destination, std::uint16_t port,
           std::uint32_t Destination::* held_by = nullptr);
  /// The `most` largest, largest first; equal ones in the order of their addresses.
  [[nodiscard]] std::vector<Destination> busiest(std::size_t most) const;
  [[nodiscard]] std::uint32_t undercount() const { return undercount_; }
  void clear();

 private:
  static constexpr std::size_t kSlots = 2 * kCounters;  // half empty, so that probing stays short

  std::uint16_t& slot_of(const IpAddress& source, const IpAddress& destination, std::uint16_t port);
  void decrement_all();

  std::vector<Destination> counters_;
  std::vector<std::uint16_t>
      slots_;  // open addressing: index in counters_ + 1; 0 is an empty slot; none before the first
  std::uint32_t undercount_ = 0;
};

}  // namespace tcpdiag
