// SPDX-License-Identifier: Apache-2.0
#include "collectors/destinations.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace tcpdiag {
namespace {

std::uint64_t mix(std::uint64_t value) {  // the finalizer of SplitMix64 (Steele, Lea, Flood 2014)
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

std::uint64_t hash(const IpAddress& source, const IpAddress& destination, std::uint16_t port) {
  std::uint64_t words[4];
  std::memcpy(words, source.bytes.data(), 16);
  std::memcpy(words + 2, destination.bytes.data(), 16);
  return mix(words[0] + 3 * mix(words[1] + 5 * mix(words[2] + 7 * mix(words[3] + port))));
}

auto by_size(const Destination& a) {
  return std::make_tuple(~a.local_ports, a.destination, a.port, a.source);
}

}  // namespace

DestinationCounter::DestinationCounter() : slots_(kSlots) {}

Destination& DestinationCounter::slot_of(const IpAddress& source, const IpAddress& destination,
                                         std::uint16_t port) {
  for (auto index = hash(source, destination, port);; ++index) {
    auto& slot = slots_[index % kSlots];
    if (slot.local_ports == 0 ||
        (slot.port == port && slot.destination == destination && slot.source == source))
      return slot;
  }
}

void DestinationCounter::add(const IpAddress& source, const IpAddress& destination, std::uint16_t port) {
  auto* slot = &slot_of(source, destination, port);
  if (slot->local_ports == 0) {
    if (used_ == kCounters) {
      decrement_all();
      return;
    }
    *slot = {source, destination, port, 0};
    ++used_;
  }
  ++slot->local_ports;
}

// Takes one from every counter, and the new socket with them: what Misra and Gries do when there is no room.
void DestinationCounter::decrement_all() {
  const auto before = std::exchange(slots_, std::vector<Destination>(kSlots));
  used_ = 0;
  ++undercount_;
  for (const auto& destination : before) {
    if (destination.local_ports <= 1) continue;
    auto& slot = slot_of(destination.source, destination.destination, destination.port);
    slot = destination;
    --slot.local_ports;
    ++used_;
  }
}

std::vector<Destination> DestinationCounter::busiest(std::size_t most) const {
  std::vector<Destination> found;
  std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(found),
               [](const Destination& destination) { return destination.local_ports != 0; });
  const auto kept = std::min(most, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                    [](const auto& a, const auto& b) { return by_size(a) < by_size(b); });
  found.resize(kept);
  return found;
}

void DestinationCounter::clear() {
  std::fill(slots_.begin(), slots_.end(), Destination{});
  used_ = 0;
  undercount_ = 0;
}

}  // namespace tcpdiag
