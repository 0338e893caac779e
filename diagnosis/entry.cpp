// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/entry.h"

#include <algorithm>

#include "core/facts/netns_list.h"

namespace tcpdiag {

const FoundNetns* found_as(const Snapshot& snapshot, const NetnsView& netns) {
  const auto* list = netns.generation == 0 ? nullptr : snapshot.netns_list.get();
  if (list == nullptr) return nullptr;
  const auto found = std::ranges::find(list->namespaces, netns.generation, &FoundNetns::generation);
  return found == list->namespaces.end() ? nullptr : &*found;
}

std::string entry_of(const Snapshot& snapshot, const NetnsView& netns) {
  if (netns.name == kHostNetns) return {};
  if (netns.generation == 0) return netns.name;
  const auto* found = found_as(snapshot, netns);
  if (found == nullptr) return "-";  // no command can name it
  if (found->mount == "/run/netns/" + netns.name) return netns.name;
  if (const auto pid = anchor_of(snapshot, netns)) return "/proc/" + std::to_string(*pid) + "/ns/net";
  return found->mount;
}

std::optional<std::int32_t> anchor_of(const Snapshot& snapshot, const NetnsView& netns) {
  const auto* found = found_as(snapshot, netns);
  return found == nullptr || found->anchor_pid == 0 ? std::nullopt : std::optional(found->anchor_pid);
}

}  // namespace tcpdiag
