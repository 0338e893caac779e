// SPDX-License-Identifier: Apache-2.0
#include "daemon/movement.h"

#include "core/facts/listeners.h"
#include "core/facts/socket_usage.h"
#include "core/facts/tcp_counters.h"
#include "diagnosis/urgency.h"

namespace tcpdiag {
namespace {

template <class T>
bool is_another(const std::shared_ptr<const T>& known, const Section<T>& section) {
  return known.get() != section.get();
}

template <class T>
std::shared_ptr<const T> held(const Section<T>& section) {
  return section.known() ? *section.value : nullptr;
}

}  // namespace

std::optional<Activity> Movement::see(const NetnsView& netns, TimePoint now) {
  auto& seen = seen_.try_emplace(netns.id, Seen{.moved_at = now}).first->second;
  if (is_another(seen.counters, netns.tcp)) {
    seen.counters = held(netns.tcp);
    seen.moved_at = now;
  }
  if (const auto* usage = netns.sockets.get(); usage != nullptr && !(usage->own() == seen.in_use)) {
    seen.in_use = usage->own();
    seen.moved_at = now;
  }
  if (is_another(seen.listeners, netns.listeners)) {
    seen.listeners = held(netns.listeners);
    seen.calm = is_calm(netns);
  }
  auto activity = seen.listeners == nullptr ? Activity::unknown : Activity::trouble;
  if (seen.calm) {
    const bool rests = seen.counters != nullptr && now - seen.moved_at >= kRestsAfter;
    activity = rests ? Activity::rest : Activity::calm;
  }
  if (activity == seen.activity) return std::nullopt;
  seen.activity = activity;
  return activity;
}

void Movement::keep(const Snapshot& snapshot) {
  std::erase_if(seen_, [&](const auto& entry) { return snapshot.find(entry.first) == nullptr; });
}

}  // namespace tcpdiag
