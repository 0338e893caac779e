// SPDX-License-Identifier: Apache-2.0
#include "core/owners.h"

#include <algorithm>
#include <tuple>

namespace tcpdiag {
namespace {

bool started_before(const Process* a, const Process* b) {
  return std::tie(a->start_ticks, a->pid) < std::tie(b->start_ticks, b->pid);
}

// What it held is its children's, or gone.
bool is_zombie(const Process& process) { return process.state == 'Z'; }

// Whom a person would name: systemd only when nobody else is there.
bool named_before(const Process* a, const Process* b) {
  const bool a_opens_for_others = a->comm == "systemd", b_opens_for_others = b->comm == "systemd";
  if (a_opens_for_others != b_opens_for_others) return b_opens_for_others;
  return started_before(a, b);
}

}  // namespace

ListenerOwners::ListenerOwners(const Processes& processes) {
  for (const auto& process : processes.processes)
    if (!is_zombie(process))
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
  const auto first = std::ranges::min_element(owners, named_before);
  return first == owners.end() ? nullptr : *first;
}

std::vector<const Process*> all_owners(const Processes& processes, const Listener& listener) {
  std::vector<const Process*> owners;
  for (const auto& process : processes.processes) {
    if (is_zombie(process)) continue;
    const bool owns = std::ranges::any_of(listener.sockets, [&](const ListenerSocket& socket) {
      return socket.inode != 0 && std::ranges::binary_search(process.listener_inodes, socket.inode);
    });
    if (owns) owners.push_back(&process);
  }
  std::ranges::sort(owners, started_before);
  return owners;
}

const Process* main_owner(const Processes& processes, const Listener& listener) {
  const auto owners = all_owners(processes, listener);
  const auto first = std::ranges::min_element(owners, named_before);
  return first == owners.end() ? nullptr : *first;
}

}  // namespace tcpdiag
