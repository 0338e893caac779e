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
  // Products that do not wait for one another, of odd numbers without a pattern (MurmurHash3's, Appleby
  // 2011).
  return mix(words[0] * 0x87c37b91114253d5U + words[1] * 0x4cf5ad432745937fU +
             words[2] * 0xff51afd7ed558ccdU + words[3] * 0xc4ceb9fe1a85ec53U + port);
}

// Takes one socket away, of whatever there are most.
void decrement(Destination& counter) {
  auto open = counter.local_ports - counter.time_wait - counter.fin_wait2_orphaned - counter.close_wait;
  --*std::ranges::max({&open, &counter.time_wait, &counter.fin_wait2_orphaned, &counter.close_wait}, {},
                      [](const auto* count) { return *count; });
  --counter.local_ports;
}

auto by_size(const Destination& a) {
  return std::make_tuple(~a.local_ports, a.destination, a.port, a.source);
}

}  // namespace

std::uint16_t& DestinationCounter::slot_of(const IpAddress& source, const IpAddress& destination,
                                           std::uint16_t port) {
  for (auto index = hash(source, destination, port);; ++index) {
    auto& slot = slots_[index % kSlots];
    if (slot == 0) return slot;
    const auto& counter = counters_[slot - 1U];
    if (counter.port == port && counter.destination == destination && counter.source == source) return slot;
  }
}

void DestinationCounter::add(const IpAddress& source, const IpAddress& destination, std::uint16_t port,
                             std::uint32_t Destination::* held_by) {
  if (slots_.empty()) slots_.resize(kSlots);
  auto& slot = slot_of(source, destination, port);
  if (slot == 0) {
    if (counters_.size() == kCounters) {
      decrement_all();
      return;
    }
    counters_.push_back({source, destination, port, 0});
    slot = static_cast<std::uint16_t>(counters_.size());
  }
  auto& counter = counters_[slot - 1U];
  ++counter.local_ports;
  if (held_by != nullptr) ++(counter.*held_by);
}

// Takes one from every counter, and the new socket with them: what Misra and Gries do when there is no room.
void DestinationCounter::decrement_all() {
  ++undercount_;
  for (auto& counter : counters_) decrement(counter);
  std::erase_if(counters_, [](const auto& counter) { return counter.local_ports == 0; });
  std::fill(slots_.begin(), slots_.end(), std::uint16_t{0});
  std::uint16_t slot = 0;
  for (const auto& counter : counters_) slot_of(counter.source, counter.destination, counter.port) = ++slot;
}

std::vector<Destination> DestinationCounter::busiest(std::size_t most) const {
  auto found = counters_;
  const auto kept = std::min(most, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                    [](const auto& a, const auto& b) { return by_size(a) < by_size(b); });
  found.resize(kept);
  return found;
}

void DestinationCounter::clear() {
  counters_.clear();
  std::fill(slots_.begin(), slots_.end(), std::uint16_t{0});
  undercount_ = 0;
}

}  // namespace tcpdiag
