// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/urgency.h"

#include <algorithm>
#include <array>

#include "core/sysctls.h"
#include "diagnosis/catalog.h"
#include "diagnosis/counters.h"
#include "diagnosis/subjects.h"
#include "diagnosis/window.h"

namespace tcpdiag {
namespace {

constexpr std::chrono::seconds kJustNow{2};

bool waits(const Listener& listener) { return listener.fullest().queue_length > 0; }

// A queue that is not empty at one look is normal; one that was not empty a second ago either may be stuck.
bool queue_stands(const Window& window) {
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners || window.size() < 2) return false;
  const auto* before = window.view(0).listeners.get();
  return before != nullptr && std::ranges::any_of((*listeners)->listeners, [&](const Listener& listener) {
           if (!waits(listener)) return false;
           const auto* earlier = find_listener(*before, listener.endpoint);
           return earlier != nullptr && waits(*earlier);
         });
}

bool turns_away(const Window& window) {
  return std::ranges::any_of(
      std::array{&TcpCounters::listen_drops, &TcpCounters::syncookies_sent, &TcpCounters::req_q_full_drop},
      [&](TcpCounter counter) {
        const auto increase = window.increase(counter);
        return increase && *increase > 0;
      });
}

bool reads_settings(const RuleInfo& info) {
  return std::ranges::any_of(sysctl_table(), [&](const SysctlSpec& spec) {
    return info.reads.find(spec.name) != std::string_view::npos;
  });
}

}  // namespace

bool rests_on_settings(std::span<const Incident> incidents) {
  return std::ranges::any_of(incidents, [](const Incident& incident) {
    if (!incident.is_open()) return false;
    const auto* rule = find_rule(incident.finding.id);
    return incident.finding.subject.kind == SubjectKind::setting ||
           (rule != nullptr && reads_settings(rule->info));
  });
}

bool is_calm(const NetnsView& netns) {
  const auto* listeners = netns.listeners.get();
  return listeners != nullptr && std::ranges::none_of(listeners->listeners, &Listener::was_waited_on);
}

bool is_urgent(const History& history) {
  if (history.empty()) return false;
  for (const auto& netns : history.snapshots().back().namespaces) {
    const Window window(history, netns.id, kJustNow);
    if (queue_stands(window) || turns_away(window)) return true;
  }
  return false;
}

}  // namespace tcpdiag
