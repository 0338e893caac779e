// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/entry.h"

#include <algorithm>

#include "core/facts/netns_list.h"

namespace tcpdiag {

namespace {

const FoundNetns* found_as(const Snapshot& snapshot, const NetnsView& netns) {
  const auto* list = snapshot.netns_list.get();
  if (list == nullptr) return nullptr;
  const auto found = std::ranges::find(list->namespaces, netns.name, &FoundNetns::name);
  return found == list->namespaces.end() ? nullptr : &*found;
}

}  // namespace

std::string entry_of(const Snapshot& snapshot, const NetnsView& netns) {
  if (netns.name == kHostNetns) return {};
  const auto* found = found_as(snapshot, netns);
  if (found == nullptr || found->mount == "/run/netns/" + netns.name) return netns.name;
  if (const auto pid = anchor_of(snapshot, netns)) return "/proc/" + std::to_string(*pid) + "/ns/net";
  return found->mount;
}

std::optional<std::int32_t> anchor_of(const Snapshot& snapshot, const NetnsView& netns) {
  const auto* found = found_as(snapshot, netns);
  return found == nullptr || found->anchor_pid == 0 ? std::nullopt : std::optional(found->anchor_pid);
}

}  // namespace tcpdiag
