// SPDX-License-Identifier: Apache-2.0
#include "cli/owner_names.h"

#include <algorithm>

namespace tcpdiag {
namespace {

constexpr auto kUnknown = "?", kNone = "-";

bool some_unseen(const Processes& processes) { return processes.unreadable != 0 || processes.some_hidden; }

}  // namespace

std::string name_of(const Process& process) { return process.comm + "[" + std::to_string(process.pid) + "]"; }

std::string unit_of(const Process& process) {
  return process.owner.kind == OwnerKind::none ? kNone : to_string(process.owner);
}

OwnerNames::OwnerNames(const Snapshot& snapshot) : processes_(snapshot.processes.get()) {
  if (processes_ != nullptr) owners_.emplace(*processes_);
}

std::string OwnerNames::process(const Listener& listener) const {
  if (processes_ == nullptr) return kUnknown;
  if (const auto* owner = owners_->main(listener)) return name_of(*owner);
  return some_unseen(*processes_) || processes_->owners_cut != 0 ? kUnknown : kNone;
}

std::string OwnerNames::unit(const Listener& listener) const {
  const auto* owner = owners_ ? owners_->main(listener) : nullptr;
  if (owner == nullptr) return process(listener);
  return unit_of(*owner);
}

std::string OwnerNames::close_wait_holder(std::uint32_t inode) const {
  if (processes_ == nullptr) return kUnknown;
  for (const auto& process : processes_->processes)
    if (std::ranges::binary_search(process.close_wait_inodes, inode)) return name_of(process);
  return kUnknown;
}

std::string unknown_owners_note(const Snapshot& snapshot) {
  const auto* processes = snapshot.processes.get();
  if (processes == nullptr || !some_unseen(*processes)) return {};
  const ListenerOwners owners(*processes);
  const bool all_known = std::ranges::all_of(snapshot.namespaces, [&](const NetnsView& netns) {
    const auto* share = netns.listeners.get();
    return share == nullptr || std::ranges::all_of(share->listeners, [&](const Listener& listener) {
             return owners.main(listener) != nullptr;
           });
  });
  if (all_known) return {};
  if (processes->some_hidden)
    return "some owners are not known: /proc hides other users' processes; " + std::string(kToSeeDescriptors);
  return "some owners are not known: " + std::to_string(processes->unreadable) + " of " +
         std::to_string(processes->total) + " processes cannot be read; " + std::string(kToSeeDescriptors);
}

}  // namespace tcpdiag
