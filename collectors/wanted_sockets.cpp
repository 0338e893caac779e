// SPDX-License-Identifier: Apache-2.0
#include "collectors/wanted_sockets.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/facts/connections.h"
#include "core/facts/listeners.h"
#include "core/facts/processes.h"
#include "core/fair_share.h"

namespace tcpdiag {
namespace {

/// The oldest sockets in CLOSE_WAIT of all namespaces. Of each user some, where there are very many.
std::vector<CloseWait> oldest_close_waits(const Snapshot& snapshot) {
  std::vector<CloseWait> oldest;
  for (const auto& netns : snapshot.namespaces)
    if (const auto* connections = netns.connections.get())
      std::ranges::copy_if(connections->close_wait, std::back_inserter(oldest), [&](const CloseWait& socket) {
        return socket.first_seen < netns.connections.read_at;
      });
  std::ranges::sort(oldest, {}, [](const CloseWait& each) { return std::pair(each.first_seen, each.inode); });
  if (oldest.size() > Processes::kCloseWaitsOwned) {
    share_out(oldest, &CloseWait::uid);
    oldest.resize(Processes::kCloseWaitsOwned);
  }
  return oldest;
}

}  // namespace

void WantedSockets::update(const Snapshot& snapshot) {
  listening.clear();
  close_wait.clear();
  waited_on.clear();
  uids.clear();
  std::erase_if(listening_, [&](const auto& known) { return snapshot.find(known.first) == nullptr; });
  for (const auto& netns : snapshot.namespaces) {
    auto& users = listening_[netns.id];
    if (const auto* listeners = netns.listeners.get()) {
      users.clear();
      for (const auto& listener : listeners->listeners) {
        for (const auto& socket : listener.sockets) {
          users.emplace(socket.inode, socket.uid);
          if (socket.queue_length > 0) waited_on.insert(socket.inode);
        }
      }
    }
    uids.insert(users.begin(), users.end());
  }
  uids.erase(0);
  for (const auto& [inode, uid] : uids) listening.insert(listening.end(), inode);
  for (const auto& socket : oldest_close_waits(snapshot)) {
    close_wait.insert(socket.inode);
    uids.emplace(socket.inode, socket.uid);
  }
}

std::vector<std::uint32_t> those_in(const Inodes& set, const std::vector<std::uint32_t>& inodes) {
  std::vector<std::uint32_t> found;
  std::ranges::copy_if(inodes, std::back_inserter(found),
                       [&](std::uint32_t inode) { return set.contains(inode); });
  return found;
}

}  // namespace tcpdiag
