// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/history.h"

#include <numeric>

#include "core/memory_size.h"
#include "core/sections.h"

namespace tcpdiag {
namespace {

// What a section holds; nothing for what it shares with the one before.
template <class T>
std::size_t bytes_of(const Section<T>& section, const Section<T>* before) {
  const auto* value = section.get();
  const bool shared = before != nullptr && value == before->get();
  return value == nullptr || shared ? 0 : sizeof(T) + bytes_behind(*value);
}

template <class Holder>
std::size_t bytes_of_sections(const Holder& holder, const Holder* before) {
  std::size_t bytes = 0;
  for_each_section(holder, [&](const auto& member, const auto& section) {
    bytes += bytes_of(section, before == nullptr ? nullptr : &(before->*member.at));
  });
  return bytes;
}

std::size_t bytes_of(const Snapshot& snapshot, const Snapshot* before) {
  auto bytes = sizeof(Snapshot) + bytes_of_sections(snapshot, before);
  for (const auto& netns : snapshot.namespaces)
    bytes +=
        sizeof(NetnsView) + bytes_of_sections(netns, before == nullptr ? nullptr : before->find(netns.id));
  return bytes;
}

}  // namespace

std::size_t History::bytes() const { return std::accumulate(bytes_.begin(), bytes_.end(), std::size_t{0}); }

void History::measure(std::size_t place) {
  if (place < snapshots_.size())
    bytes_[place] = bytes_of(snapshots_[place], place == 0 ? nullptr : &snapshots_[place - 1]);
}

void History::push(const Snapshot& snapshot) {
  if (!snapshots_.empty() && snapshot.at <= snapshots_.back().at) {
    snapshots_.back() = snapshot;
  } else {
    snapshots_.push_back(snapshot);
    bytes_.push_back(0);
  }
  measure(snapshots_.size() - 1);
  thin_old(snapshot.at);
  while (snapshots_.size() > 2 && (snapshots_.size() > kMaxSnapshots || bytes() > kMaxBytes)) halve();
}

void History::thin_old(TimePoint now) {
  while (!snapshots_.empty() && now - snapshots_.front().at > kSpan) erase(0);
  for (std::size_t i = 1; i + 1 < snapshots_.size() && now - snapshots_[i].at > kFine;) {
    const bool too_close = snapshots_[i + 1].at - snapshots_[i - 1].at <= kCoarseStep;
    if (too_close)
      erase(i);
    else
      ++i;
  }
}

// The first and the last stay: they carry the span.
void History::halve() {
  std::deque<Snapshot> kept;
  for (std::size_t i = 0; i < snapshots_.size(); ++i)
    if (i % 2 == 0 || i + 1 == snapshots_.size()) kept.push_back(std::move(snapshots_[i]));
  snapshots_ = std::move(kept);
  bytes_.resize(snapshots_.size());
  for (std::size_t i = 0; i < snapshots_.size(); ++i) measure(i);
}

// What the next one shared with it is the next one's own then.
void History::erase(std::size_t place) {
  const auto at = static_cast<std::ptrdiff_t>(place);
  snapshots_.erase(snapshots_.begin() + at);
  bytes_.erase(bytes_.begin() + at);
  measure(place);
}

}  // namespace tcpdiag
