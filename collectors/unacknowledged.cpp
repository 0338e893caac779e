// SPDX-License-Identifier: Apache-2.0
#include "collectors/unacknowledged.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/fair_share.h"

namespace tcpdiag {

void UnacknowledgedFollower::add(const DiagSocket& socket, bool server, std::uint16_t port) {
  if (present_.size() == kMost) {
    ++cut_;
    return;
  }
  present_.push_back({.cookie = socket.cookie,
                      .since = {},
                      .peer = socket.destination.unmapped(),
                      .uid = socket.uid,
                      .port = port,
                      .server = server,
                      .retransmits = socket.retransmits});
}

// Both are ordered by cookie: one walk along them finds those that stay. An answer sets the number back.
void UnacknowledgedFollower::finish(TimePoint now, Connections& connections) {
  std::ranges::sort(present_, {}, &Unacknowledged::cookie);
  const auto shown_twice = [](const auto& a, const auto& b) { return a.cookie == b.cookie; };
  present_.erase(std::unique(present_.begin(), present_.end(), shown_twice), present_.end());
  std::map<std::tuple<bool, IpAddress, std::uint16_t>, SilentPeer> peers;
  auto old = before_.cbegin();
  for (auto& each : present_) {
    old = std::lower_bound(old, before_.cend(), each.cookie,
                           [](const auto& one, auto cookie) { return one.cookie < cookie; });
    const bool goes_on =
        old != before_.cend() && old->cookie == each.cookie && old->retransmits <= each.retransmits;
    each.since = goes_on ? old->since : now;
    if (each.retransmits < SilentPeer::kRetransmits) continue;
    auto& peer = peers[{each.server, each.peer, each.port}];
    const auto lasted = std::chrono::floor<std::chrono::seconds>(now - each.since);
    if (peer.connections++ == 0) peer.uid = each.uid;
    peer.standing += lasted >= SilentPeer::kLong ? 1 : 0;
    peer.retransmits += each.retransmits;
    peer.longest = std::max(peer.longest, lasted);
  }
  for (auto& [key, peer] : peers) {
    std::tie(peer.server, peer.address, peer.port) = key;
    connections.silent_peers.push_back(peer);
  }
  std::ranges::stable_sort(connections.silent_peers, std::greater(), &SilentPeer::connections);
  share_out(connections.silent_peers, &SilentPeer::uid);
  for (auto beyond = Connections::kSilentPeers; beyond < connections.silent_peers.size(); ++beyond)
    cut_ += connections.silent_peers[beyond].connections;
  if (connections.silent_peers.size() > Connections::kSilentPeers)
    connections.silent_peers.resize(Connections::kSilentPeers);
  connections.silent_cut = cut_;
  before_.swap(present_);
  discard();
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

void UnacknowledgedFollower::discard() {
  present_.clear();
  cut_ = 0;
}

}  // namespace tcpdiag
