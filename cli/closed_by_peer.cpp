// SPDX-License-Identifier: Apache-2.0
#include "cli/closed_by_peer.h"

#include <algorithm>
#include <span>

#include "cli/listeners.h"
#include "cli/owner_names.h"
#include "collectors/inet_diag.h"
#include "collectors/proc_pid.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kMaxLinks = std::size_t{1} << 16;  // of one process

/// Inodes are unique on a machine, whatever the namespace of the socket.
void add_descriptors_of(ClosedByPeer& closed, const Process& process, Source& source) {
  const auto directory = "/proc/" + std::to_string(process.pid) + "/fd";
  const auto names = source.list(directory);
  if (!names) return;
  for (const auto& name : std::span(*names).first(std::min(names->size(), kMaxLinks))) {
    const auto fd = to_number<std::uint32_t>(name);
    const auto link = source.link(directory + "/" + name);
    const auto inode = fd && link ? parse_socket_link(*link) : std::nullopt;
    if (!inode) continue;
    for (auto& [key, socket] : closed)
      if (key.second == *inode && socket.holder == name_of(process))
        socket.fd = std::min(socket.fd.value_or(*fd), *fd);
  }
}

}  // namespace

void add_peers(ClosedByPeer& closed, const NetnsView& netns, Source& sockets) {
  const auto* share = netns.connections.get();
  if (share == nullptr || share->close_wait.empty()) return;
  const auto oldest = std::span(share->close_wait).first(std::min(kOldestShown, share->close_wait.size()));
  for (const auto& socket : oldest) closed.try_emplace({netns.name, socket.inode});
  (void)sockets.dump_sockets(
      {.states = state_bit(TcpState::close_wait)}, [&](std::span<const std::byte> payload) {
        const auto socket = parse_inet_diag(payload);
        if (!socket || socket->state != TcpState::close_wait) return;
        if (const auto found = closed.find({netns.name, socket->inode}); found != closed.end())
          found->second.peer = address_and_port(socket->destination.unmapped(), socket->destination_port);
      });
}

void add_descriptors(ClosedByPeer& closed, const Snapshot& snapshot, Source& source) {
  const auto* processes = snapshot.processes.get();
  if (processes == nullptr) return;
  for (const auto& process : processes->processes) {
    bool holds_one = false;
    for (auto& [key, socket] : closed) {
      if (!socket.holder.empty() || !std::ranges::binary_search(process.close_wait_inodes, key.second))
        continue;
      socket.holder = name_of(process);
      holds_one = true;
    }
    if (holds_one) add_descriptors_of(closed, process, source);
  }
}

}  // namespace tcpdiag
