// SPDX-License-Identifier: Apache-2.0
#include "collectors/listeners.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tcpdiag {
namespace {

struct Group {
  std::optional<bool> v6_only;
  std::vector<ListenerSocket> sockets;
};

struct Dump {
  std::map<Endpoint, Group> groups;
  std::size_t sockets = 0;
  std::uint64_t cut = 0;
  Result<void> parsed;
};

void add(std::span<const std::byte> payload, Dump& dump) {
  if (!dump.parsed) return;
  const auto socket = parse_inet_diag(payload);
  if (!socket) {
    dump.parsed = tl::unexpected<Error>(socket.error());
    return;
  }
  if (socket->state != TcpState::listen) return;
  if (dump.sockets == ListenersReader::kMaxSockets) {
    ++dump.cut;
    return;
  }
  ++dump.sockets;
  auto& group = dump.groups[{socket->source, socket->source_port, socket->interface}];
  group.v6_only = socket->v6_only;
  group.sockets.push_back({.cookie = socket->cookie,
                           .inode = socket->inode,
                           .uid = socket->uid,
                           .queue_length = socket->receive_queue,
                           .queue_limit = socket->send_queue,
                           .drops = socket->drops});
}

// A dump may show a socket twice; then the second look is as good as the first.
void order_by_cookie(std::vector<ListenerSocket>& sockets) {
  std::sort(sockets.begin(), sockets.end(), [](const auto& a, const auto& b) { return a.cookie < b.cookie; });
  const auto same = [](const auto& a, const auto& b) { return a.cookie == b.cookie; };
  sockets.erase(std::unique(sockets.begin(), sockets.end(), same), sockets.end());
}

Count somaxconn_of(const Reading& reading) {
  if (reading.netns_index >= reading.previous.namespaces.size()) return std::nullopt;
  const auto* settings = reading.netns().settings.get();
  const auto* sysctl = settings == nullptr ? nullptr : settings->find("net.core.somaxconn");
  if (sysctl == nullptr || sysctl->values.empty()) return std::nullopt;
  return static_cast<std::uint64_t>(sysctl->values.front());
}

}  // namespace

std::optional<QueueRun> RunFollower::advance(bool found, TimePoint now) {
  if (!found) {
    since_.reset();
    return latest_;
  }
  if (!since_) since_ = now;
  if (now - *since_ >= QueueRun::kLeast) latest_ = {*since_, now};
  return latest_;
}

Listener ListenerHistory::advance(const Endpoint& endpoint, std::optional<bool> v6_only,
                                  std::vector<ListenerSocket> sockets, TimePoint now, Count somaxconn) {
  order_by_cookie(sockets);
  count_drops(sockets);
  Listener listener{.endpoint = endpoint, .v6_only = v6_only, .sockets = std::move(sockets), .drops = drops_};
  const auto longest =
      std::max_element(listener.sockets.begin(), listener.sockets.end(), [](auto& a, auto& b) {
        return a.queue_length < b.queue_length;
      })->queue_length;
  listener.peak_length = peak(longest, now);
  const auto ratio = fill_ratio(listener.fullest());
  const auto bound =
      std::lower_bound(FillHistogram::kUpperBounds.begin(), FillHistogram::kUpperBounds.end(), ratio);
  ++fill_.samples[static_cast<std::size_t>(bound - FillHistogram::kUpperBounds.begin())];
  fill_.sum += ratio;
  listener.fill = fill_;
  follow_runs(listener, now);
  listener.somaxconn_when_seen = somaxconn_when_seen(listener.sockets.front().queue_limit, somaxconn);
  return listener;
}

// A member that is there no more, or a queue that is shorter: something was taken. When no member of the look
// before is left, another server listens there.
void ListenerHistory::follow_runs(Listener& listener, TimePoint now) {
  bool goes_on = false, taken = false;
  auto before = lengths_.begin();
  for (const auto& socket : listener.sockets) {
    before =
        std::find_if(before, lengths_.end(), [&](const auto& each) { return each.cookie >= socket.cookie; });
    if (before == lengths_.end()) break;
    if (before->cookie != socket.cookie) continue;
    goes_on = true;
    taken = taken || socket.queue_length < before->length;
  }
  if (!goes_on)
    for (auto* run : {&full_, &standing_, &still_}) *run = {};
  if (taken) still_.interrupt();
  lengths_.clear();
  for (const auto& socket : listener.sockets) lengths_.push_back({socket.cookie, socket.queue_length});
  const auto& fullest = listener.fullest();
  listener.full = full_.advance(is_full(fullest), now);
  listener.standing = standing_.advance(fullest.queue_length > 0, now);
  listener.still = still_.advance(fullest.queue_length > 0, now);
}

// The kernel's number lives as long as its socket and wraps at 2^32: the increase since the last look counts,
// or all of it when the socket is new. A member that is gone leaves what it had counted. A dump can miss a
// member of a large group, so each is remembered for one look more: else its drops would count twice.
void ListenerHistory::count_drops(const std::vector<ListenerSocket>& sockets) {
  ++look_;
  for (const auto& socket : sockets) {
    if (!socket.drops) continue;
    auto& member = members_[socket.cookie];
    const std::uint32_t increase = *socket.drops - member.drops;
    drops_ = drops_.value_or(0) + increase;  // empty only until the kernel has told a first number
    member = {*socket.drops, look_};
  }
  std::erase_if(members_, [&](const auto& member) { return member.second.look + 1 < look_; });
}

// A limit changes only when listen() is called again, which takes the present somaxconn into account.
Count ListenerHistory::somaxconn_when_seen(std::uint32_t limit, Count somaxconn) {
  if (!somaxconn_ || limit != limit_) somaxconn_ = somaxconn;
  limit_ = limit;
  return somaxconn_;
}

std::uint32_t ListenerHistory::peak(std::uint32_t longest, TimePoint now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const auto kept = static_cast<std::int64_t>(peaks_.size());
  auto& slot = peaks_[static_cast<std::size_t>(second % kept)];
  if (slot.second != second) slot = {second, 0};
  slot.length = std::max(slot.length, longest);
  std::uint32_t highest = 0;
  for (const auto& each : peaks_)
    if (each.second > second - kept) highest = std::max(highest, each.length);
  return highest;
}

// Before 5.6 the cookies of each namespace begin anew, so another one's could be taken for the former's. That
// there is another one is known by the source's generation, in a recording only by the error before it.
void ListenersReader::forget_another_netns(std::uint64_t generation, const Result<void>& dumped) {
  const bool gone = !dumped && dumped.error().code == Errc::no_netns;
  if (generation == generation_ && !gone) return;
  generation_ = generation;
  histories_.clear();
  missed_.clear();
}

Result<Listeners> ListenersReader::operator()(const Reading& reading) {
  Dump dump;
  const SocketDump request{.states = state_bit(TcpState::listen), .socket_memory = true};
  const auto dumped = reading.source.dump_sockets(request, [&](auto payload) { add(payload, dump); });
  forget_another_netns(reading.source.generation(), dumped);
  if (!dumped) return tl::unexpected<Error>(dumped.error());
  if (!dump.parsed) return tl::unexpected<Error>(dump.parsed.error());

  Listeners listeners{.cut = dump.cut};
  const auto somaxconn = somaxconn_of(reading);
  std::map<Endpoint, ListenerHistory> still_there;
  for (auto& [endpoint, group] : dump.groups) {
    auto known = histories_.extract(endpoint);
    if (!known) known = missed_.extract(endpoint);
    auto& history = known ? still_there.insert(std::move(known)).position->second : still_there[endpoint];
    listeners.listeners.push_back(
        history.advance(endpoint, group.v6_only, std::move(group.sockets), reading.now, somaxconn));
  }
  missed_ = std::exchange(histories_, std::move(still_there));  // a dump can miss a listener's only socket
  std::sort(listeners.listeners.begin(), listeners.listeners.end(), [](const auto& a, const auto& b) {
    return std::tie(a.endpoint.port, a.endpoint) < std::tie(b.endpoint.port, b.endpoint);
  });
  return listeners;
}

}  // namespace tcpdiag
