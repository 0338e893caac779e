// SPDX-License-Identifier: Apache-2.0
#include "collectors/unacknowledged.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/fair_share.h"

namespace tcpdiag {

void UnacknowledgedFollower::add(const DiagSocket& socket, bool server, std::uint16_t port) {
  sockets_.add({.cookie = socket.cookie,
                .since = {},
                .peer = socket.destination.unmapped(),
                .uid = socket.uid,
                .port = port,
                .server = server,
                .retransmits = socket.retransmits});
}

void UnacknowledgedFollower::finish(TimePoint now, Connections& connections) {
  std::map<std::tuple<bool, IpAddress, std::uint16_t>, SilentPeer> peers;
  connections.silent_cut = sockets_.finish([&](Unacknowledged& each, const Unacknowledged* old) {
    const bool goes_on = old != nullptr && old->retransmits <= each.retransmits;  // an answer sets it back
    each.since = goes_on ? old->since : now;
    if (each.retransmits < SilentPeer::kRetransmits) return;
    auto& peer = peers[{each.server, each.peer, each.port}];
    const auto lasted = std::chrono::floor<std::chrono::seconds>(now - each.since);
    if (peer.connections++ == 0) peer.uid = each.uid;
    peer.standing += lasted >= SilentPeer::kLong ? 1 : 0;
    peer.retransmits += each.retransmits;
    peer.longest = std::max(peer.longest, lasted);
  });
  for (auto& [key, peer] : peers) {
    std::tie(peer.server, peer.address, peer.port) = key;
    connections.silent_peers.push_back(peer);
  }
  std::ranges::stable_sort(connections.silent_peers, std::greater(), &SilentPeer::connections);
  connections.silent_cut += keep_shared(connections.silent_peers, Connections::kSilentPeers, &SilentPeer::uid,
                                        &SilentPeer::connections);
}

void UnacknowledgedFollower::look_closer(Source& source, Connections& connections) {
  constexpr std::chrono::milliseconds kLately{10000};
  SocketDump request{.states = state_bit(TcpState::established), .tcp_info = true};
  std::map<std::pair<IpAddress, std::uint16_t>, SilentPeer*> clients;
  for (auto& peer : connections.silent_peers)
    if (peer.server) {
      clients[{peer.address, peer.port}] = &peer;
      request.local_ports.push_back(peer.port);
    }
  if (clients.empty()) return;
  // What cannot be read is left out: it only speaks against a finding.
  (void)source.dump_sockets(request, [&](std::span<const std::byte> payload) {
    const auto socket = parse_inet_diag(payload);
    if (!socket || is_unacknowledged(*socket)) return;
    const auto client = clients.find({socket->destination.unmapped(), socket->source_port});
    if (client == clients.end()) return;
    const auto heard = parse_last_ack_received(payload);
    client->second->alive += heard && *heard < kLately ? 1 : 0;
  });
}

}  // namespace tcpdiag
