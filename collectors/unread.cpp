// SPDX-License-Identifier: Apache-2.0
#include "collectors/unread.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/fair_share.h"

namespace tcpdiag {
namespace {

using std::chrono::milliseconds;

// The kernel stamps what comes, the dump takes a moment after its time was taken.
constexpr milliseconds kMoment{1000};

}  // namespace

void UnreadFollower::add(const DiagSocket& socket) {
  sockets_.add({.cookie = socket.cookie,
                .since = {},
                .bytes = socket.receive_queue,
                .uid = socket.uid,
                .port = socket.source_port,
                .address = socket.source.unmapped(),
                .read = {},
                .read_since = {}});
}

void UnreadFollower::finish(TimePoint now, Connections& connections) {
  std::map<std::pair<IpAddress, std::uint16_t>, UnreadConnections> standing;
  connections.unread_cut = sockets_.finish([&](Unread& each, const Unread* old) {
    const bool stays = old != nullptr && old->bytes <= each.bytes;
    each.since = stays ? old->since : now;
    each.as_before = !stays || (old->as_before && old->bytes == each.bytes);
    if (stays) std::tie(each.read, each.read_since) = std::tie(old->read, old->read_since);
    if (now - each.since < UnreadConnections::kLong) return;
    auto& all = standing[{each.address, each.port}];
    if (all.standing++ == 0) all.uid = each.uid;
  });
  for (auto& [where, all] : standing) {
    std::tie(all.address, all.port) = where;
    if (all.standing >= kWorthAsking) connections.unread.push_back(all);
  }
  // Those that more could be said about first, but the first of every user before the second of any.
  std::ranges::stable_sort(connections.unread, std::greater(), &UnreadConnections::standing);
  connections.unread_cut += keep_shared(connections.unread, Connections::kUnreadPorts,
                                        &UnreadConnections::uid, &UnreadConnections::standing);
}

// What has come and waits no longer was read: its amount stays while nothing is read, whatever comes.
UnreadFollower::Told UnreadFollower::judge(const DiagSocket& socket, std::span<const std::byte> message,
                                           TimePoint now, milliseconds& for_how_long) {
  constexpr milliseconds kLong = UnreadConnections::kLong;
  constexpr milliseconds kSentLately{
      15000};  // a server that sends all the time serves, whatever it leaves unread
  const auto sent = parse_last_data_sent(message), received = parse_last_data_received(message);
  if (!sent || !received) return Told::nothing;
  if (*sent < kSentLately) return Told::served;
  auto* known = sockets_.find(socket.cookie);
  if (known == nullptr)
    return socket.receive_queue == 0 && *received < kLong ? Told::served : Told::undecided;

  const auto bytes = parse_bytes_received(message);
  const auto read =
      bytes ? std::optional(*bytes - std::min<std::uint64_t>(*bytes, socket.receive_queue)) : std::nullopt;
  const bool was_read = known->read && read && *known->read != *read;
  if (!known->read || was_read) known->read_since = now;
  known->read = read;
  if (was_read) return Told::served;

  const auto held = std::chrono::floor<milliseconds>(now - known->since);
  if (held < kLong) return Told::undecided;
  const bool nothing_came =
      known->as_before && socket.receive_queue == known->bytes && *received + kMoment >= held;
  const auto watched = read ? std::chrono::floor<milliseconds>(now - known->read_since) : milliseconds{};
  if (!nothing_came && watched < kLong) return Told::undecided;
  for_how_long = nothing_came ? std::max(*received, watched) : watched;
  return Told::not_read;
}

void UnreadFollower::look_closer(Source& source, TimePoint now, Connections& connections) {
  SocketDump request{.states = state_bit(TcpState::established) | state_bit(TcpState::close_wait),
                     .tcp_info = true};
  std::map<std::pair<IpAddress, std::uint16_t>, UnreadConnections*> asked;
  for (auto& each : connections.unread) {
    asked[{each.address, each.port}] = &each;
    request.local_ports.push_back(each.port);
  }
  if (asked.empty()) return;
  const auto dumped = source.dump_sockets(request, [&](std::span<const std::byte> payload) {
    const auto socket = parse_inet_diag(payload);
    if (!socket || socket->inode == 0) return;
    const auto found = asked.find({socket->source.unmapped(), socket->source_port});
    if (found == asked.end()) return;
    auto& all = *found->second;
    ++all.accepted;
    milliseconds for_how_long{};
    const auto told = judge(*socket, payload, now, for_how_long);
    all.served += told == Told::served ? 1 : 0;
    if (told != Told::nothing) all.not_read = all.not_read.value_or(0) + (told == Told::not_read ? 1 : 0);
    if (told != Told::not_read) return;
    all.longest = std::max(all.longest.value_or(std::chrono::seconds{}),
                           std::chrono::floor<std::chrono::seconds>(for_how_long));
  });
  if (dumped) return;
  for (auto& each : connections.unread) {
    each.accepted = each.served = 0;
    each.not_read = std::nullopt;
    each.longest = std::nullopt;
  }
}

}  // namespace tcpdiag
