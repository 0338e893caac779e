// SPDX-License-Identifier: Apache-2.0
#include "collectors/close_waits.h"

#include <algorithm>
#include <tuple>

namespace tcpdiag {
namespace {

// Data that the peer has not acknowledged yet: it is sent, sent again, or waits for room at the peer.
bool is_sending(const DiagSocket& socket) {
  return socket.send_queue > 0 || socket.timer == DiagTimer::retransmit ||
         socket.timer == DiagTimer::window_probe;
}

// Those that two dumps have shown and that may be forgotten, for all that is known.
std::uint64_t suspects(const std::vector<CloseWait>& close_waits, TimePoint now) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(close_waits, [&](const CloseWait& each) { return each.idle_since() < now; }));
}

}  // namespace

void CloseWaitFollower::add(const DiagSocket& socket, bool server, std::uint16_t port) {
  if (socket.inode == 0) return;  // waits in an accept queue: counted as unaccepted
  // The known ones are the older ones: they are never cut for the sake of a new one.
  const bool known = known_.contains(socket.cookie);
  if (!known && present_.size() >= Connections::kCloseWaits) {
    ++cut_;
    return;
  }
  CloseWait each{
      .port = port, .server = server, .cookie = socket.cookie, .inode = socket.inode, .uid = socket.uid};
  if (is_sending(socket)) each.sent_at = TimePoint::max();  // the dump's own time is known at its end
  present_.push_back(each);
}

void CloseWaitFollower::finish(TimePoint now, Connections& connections) {
  for (auto& each : present_) {
    const bool sending = each.sent_at == TimePoint::max();
    const auto before = known_.find(each.cookie);
    each.first_seen = before == known_.end() ? now : before->second.first_seen;
    each.sent_at = sending ? now : before == known_.end() ? TimePoint() : before->second.sent_at;
  }
  std::ranges::sort(present_, {},
                    [](const CloseWait& each) { return std::tuple(each.first_seen, each.cookie); });
  const auto shown_twice = [](const auto& a, const auto& b) { return a.cookie == b.cookie; };
  present_.erase(std::unique(present_.begin(), present_.end(), shown_twice), present_.end());
  if (present_.size() > Connections::kCloseWaits) {
    cut_ += present_.size() - Connections::kCloseWaits;
    present_.resize(Connections::kCloseWaits);
  }
  remember(present_);
  connections.close_wait = present_;
  connections.close_wait_cut = cut_;
  discard();
}

void CloseWaitFollower::look_closer(Source& source, TimePoint now, Connections& connections) {
  auto& all = connections.close_wait;
  if (suspects(all, now) < kWorthAsking || all.size() + connections.close_wait_cut > kMostAsked) return;
  std::unordered_map<std::uint64_t, TimePoint> sent;
  const auto dumped = source.dump_sockets(
      {.states = state_bit(TcpState::close_wait), .tcp_info = true}, [&](std::span<const std::byte> payload) {
        const auto ago = parse_last_data_sent(payload);
        const auto socket = ago ? parse_inet_diag(payload) : Result<DiagSocket>();
        if (ago && socket) sent[socket->cookie] = now - *ago;
      });
  if (!dumped) return;
  for (auto& each : all)
    if (const auto found = sent.find(each.cookie); found != sent.end())
      each.sent_at = std::max(each.sent_at, found->second);
  remember(all);
}

void CloseWaitFollower::remember(const std::vector<CloseWait>& close_waits) {
  known_.clear();
  for (const auto& each : close_waits) known_.emplace(each.cookie, Known{each.first_seen, each.sent_at});
}

void CloseWaitFollower::discard() {
  present_.clear();
  cut_ = 0;
}

}  // namespace tcpdiag
