// SPDX-License-Identifier: Apache-2.0
#include "core/owners.h"

#include <algorithm>
#include <tuple>

namespace tcpdiag {
namespace {

bool started_before(const Process* a, const Process* b) {
  return std::tie(a->start_ticks, a->pid) < std::tie(b->start_ticks, b->pid);
}

}  // namespace

ListenerOwners::ListenerOwners(const Processes& processes) {
  for (const auto& process : processes.processes)
    for (const auto inode : process.listener_inodes) by_inode_.emplace_back(inode, &process);
  std::ranges::sort(by_inode_, {}, [](const auto& entry) { return entry.first; });
}

std::vector<const Process*> ListenerOwners::all(const Listener& listener) const {
  std::vector<const Process*> owners;
  for (const auto& socket : listener.sockets) {
    if (socket.inode == 0) continue;
    const auto holders =
        std::ranges::equal_range(by_inode_, socket.inode, {}, [](const auto& entry) { return entry.first; });
    for (const auto& holder : holders) owners.push_back(holder.second);
  }
  std::ranges::sort(owners, started_before);
  const auto repeated = std::ranges::unique(owners);
  owners.erase(repeated.begin(), repeated.end());
  return owners;
}

const Process* ListenerOwners::main(const Listener& listener) const {
  const auto owners = all(listener);
  const auto own =
      std::ranges::find_if(owners, [](const Process* owner) { return owner->comm != "systemd"; });
  if (own != owners.end()) return *own;
  return owners.empty() ? nullptr : owners.front();
}

}  // namespace tcpdiag
