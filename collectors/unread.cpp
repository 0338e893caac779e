// SPDX-License-Identifier: Apache-2.0
#include "collectors/unread.h"

#include <algorithm>
#include <map>

namespace tcpdiag {
namespace {

// The kernel stamps what comes, the dump takes a moment after its time was taken.
constexpr std::chrono::milliseconds kMoment{1000};

std::uint32_t accepted_on(const Connections& connections, std::uint16_t port) {
  const auto row = std::ranges::lower_bound(connections.server, port, {}, &PortConnections::port);
  if (row == connections.server.end() || row->port != port) return 0;
  return row->accepted;
}

}  // namespace

// Both are ordered by cookie: one walk along them finds those that stay.
void UnreadFollower::finish(TimePoint now, Connections& connections) {
  std::ranges::sort(present_, {}, &Unread::cookie);
  const auto shown_twice = [](const auto& a, const auto& b) { return a.cookie == b.cookie; };
  present_.erase(std::unique(present_.begin(), present_.end(), shown_twice), present_.end());
  std::map<std::uint16_t, std::uint32_t> standing;
  auto old = before_.cbegin();
  for (auto& each : present_) {
    old = std::lower_bound(old, before_.cend(), each.cookie,
                           [](const Unread& one, auto cookie) { return one.cookie < cookie; });
    const bool stays = old != before_.cend() && old->cookie == each.cookie && old->bytes == each.bytes;
    each.since = stays ? old->since : now;
    if (now - each.since >= UnreadConnections::kLong) ++standing[each.port];
  }
  for (const auto& [port, count] : standing)
    connections.unread.push_back(
        {.port = port, .accepted = accepted_on(connections, port), .standing = count});
  std::ranges::stable_sort(connections.unread, std::greater(), &UnreadConnections::standing);
  if (connections.unread.size() > Connections::kUnreadPorts)
    connections.unread.resize(Connections::kUnreadPorts);
  connections.unread_cut = cut_;
  before_.swap(present_);
  discard();
}

const UnreadFollower::Unread* UnreadFollower::find(std::uint64_t cookie) const {
  const auto found = std::ranges::lower_bound(before_, cookie, {}, &Unread::cookie);
  return found == before_.end() || found->cookie != cookie ? nullptr : &*found;
}

void UnreadFollower::look_closer(Source& source, TimePoint now, Connections& connections) const {
  SocketDump request{.states = state_bit(TcpState::established), .tcp_info = true};
  for (auto& port : connections.unread)
    if (port.standing >= kWorthAsking) request.local_ports.push_back(port.port);
  if (request.local_ports.empty()) return;
  std::map<std::uint16_t, UnreadConnections> told;
  const auto dumped = source.dump_sockets(request, [&](std::span<const std::byte> payload) {
    const auto socket = parse_inet_diag(payload);
    if (!socket || socket->state != TcpState::established) return;
    const auto* known = find(socket->cookie);
    if (known == nullptr || now - known->since < UnreadConnections::kLong) return;
    const auto received = parse_last_data_received(payload);
    if (!received) return;
    auto& port = told[known->port];
    if (!port.not_read) port.not_read = 0;
    if (socket->receive_queue != known->bytes || *received + kMoment < now - known->since) return;
    const auto whole = std::chrono::floor<std::chrono::seconds>(*received);
    port.longest = ++*port.not_read == 1 ? whole : std::max(*port.longest, whole);
  });
  if (!dumped) return;
  for (auto& port : connections.unread)
    if (const auto found = told.find(port.port); found != told.end()) {
      port.not_read = found->second.not_read;
      port.longest = found->second.longest;
    }
}

void UnreadFollower::discard() {
  present_.clear();
  cut_ = 0;
}

}  // namespace tcpdiag
