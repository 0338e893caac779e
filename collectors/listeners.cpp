// SPDX-License-Identifier: Apache-2.0
#include "collectors/listeners.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/facts/settings.h"
#include "core/fair_share.h"

namespace tcpdiag {
namespace {

void add(std::span<const std::byte> payload, SeenListeners& seen, Result<void>& parsed) {
  if (!parsed) return;
  const auto socket = parse_inet_diag(payload);
  if (!socket) {
    parsed = tl::unexpected<Error>(socket.error());
    return;
  }
  if (socket->state != TcpState::listen) return;
  seen.add({.endpoint = {socket->source, socket->source_port, socket->interface},
            .v6_only = socket->v6_only,
            .socket = {.cookie = socket->cookie,
                       .inode = socket->inode,
                       .uid = socket->uid,
                       .queue_length = socket->receive_queue,
                       .queue_limit = socket->send_queue,
                       .drops = socket->drops}});
}

// A dump may show a socket twice; then the second look is as good as the first.
void order_by_cookie(std::vector<ListenerSocket>& sockets) {
  std::sort(sockets.begin(), sockets.end(), [](const auto& a, const auto& b) { return a.cookie < b.cookie; });
  const auto same = [](const auto& a, const auto& b) { return a.cookie == b.cookie; };
  sockets.erase(std::unique(sockets.begin(), sockets.end(), same), sockets.end());
}

std::uint64_t waiting_in(std::span<const SeenListener> members) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      members, [](const SeenListener& member) { return member.socket.queue_length > 0; }));
}

Count somaxconn_of(const Reading& reading) {
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
  const auto slot_of = [&](std::int64_t of) -> auto& { return peaks_[static_cast<std::size_t>(of % kept)]; };
  for (auto passed = std::max(second_, second - kept) + 1; passed <= second; ++passed) slot_of(passed) = 0;
  second_ = second;
  slot_of(second) = std::max(slot_of(second), longest);
  return *std::ranges::max_element(peaks_);
}

bool ListenerHistory::was_waited_on() const {
  return std::ranges::any_of(peaks_, [](std::uint32_t length) { return length > 0; });
}

void ListenerHistory::know_drops_of(const std::vector<ListenerSocket>& sockets) {
  for (const auto& socket : sockets)
    if (socket.drops) members_[socket.cookie] = {*socket.drops, look_};
}

void SeenListeners::add(const SeenListener& seen) {
  if (seen_.size() < kMost) return seen_.push_back(seen);
  ++cut_;
  if (seen.socket.queue_length == 0) return;
  while (replaced_ < seen_.size() && seen_[replaced_].socket.queue_length > 0) ++replaced_;
  if (replaced_ < seen_.size())
    seen_[replaced_] = seen;
  else
    ++waited_on_cut_;
}

void SeenListeners::clear() {
  seen_.clear();
  replaced_ = 0;
  cut_ = waited_on_cut_ = 0;
}

const std::vector<SeenListener>& SeenListeners::in_groups() {
  std::ranges::stable_sort(seen_, {}, &SeenListener::endpoint);
  return seen_;
}

/// The sockets of one endpoint, and what decides whether they are kept.
struct ListenersReader::Group {
  std::span<const SeenListener> members;
  bool waited_on = false;  // now, or within the last 60 s
  bool has_dropped = false;
  bool is_kept = false;

  [[nodiscard]] std::uint32_t user() const { return members.front().socket.uid; }
};

// Before 5.6 the cookies of each namespace begin anew, so another one's could be taken for the former's. That
// there is another one is known by the source's generation, in a recording only by the error before it.
void ListenersReader::forget_another_netns(std::uint64_t generation, const Result<void>& dumped) {
  const bool gone = !dumped && dumped.error().code == Errc::no_netns;
  if (generation == generation_ && !gone) return;
  generation_ = generation;
  histories_.clear();
  missed_.clear();
}

// Both are in the order of the endpoints.
std::vector<ListenersReader::Group> ListenersReader::groups_of(std::span<const SeenListener> seen) const {
  std::vector<Group> groups;
  auto history = histories_.begin();
  for (std::size_t begin = 0; begin < seen.size();) {
    auto end = begin + 1;
    while (end < seen.size() && seen[end].endpoint == seen[begin].endpoint) ++end;
    Group group{.members = seen.subspan(begin, end - begin)};
    while (history != histories_.end() && history->first < seen[begin].endpoint) ++history;
    group.is_kept = history != histories_.end() && history->first == seen[begin].endpoint;
    group.waited_on = waiting_in(group.members) > 0 || (group.is_kept && history->second.was_waited_on());
    group.has_dropped = std::ranges::any_of(
        group.members, [](const SeenListener& member) { return member.socket.drops.value_or(0) > 0; });
    groups.push_back(group);
    begin = end;
  }
  return groups;
}

std::vector<ListenersReader::Group> ListenersReader::choose(std::vector<Group> groups, std::size_t most,
                                                            Listeners& listeners) const {
  const auto worth = [](const Group& group) { return group.waited_on ? 0 : group.has_dropped ? 1 : 2; };
  std::ranges::stable_sort(groups, {},
                           [&](const Group& group) { return std::tuple(worth(group), !group.is_kept); });
  std::vector<Group> chosen;
  std::size_t sockets = 0;
  for (auto first = groups.begin(); first != groups.end();) {
    const auto last =
        std::find_if(first, groups.end(), [&](auto& group) { return worth(group) != worth(*first); });
    std::vector<Group> alike(first, last);
    share_out(alike, &Group::user, [](const Group& group) { return group.members.size(); });
    for (auto& group : alike) {
      const auto kept = std::min(group.members.size(), most - sockets);
      const auto cut = group.members.subspan(kept);
      sockets += kept;
      listeners.cut += cut.size();
      listeners.waited_on_cut += waiting_in(cut);
      group.members = group.members.first(kept);
      if (kept != 0) chosen.push_back(group);
    }
    first = last;
  }
  return chosen;
}

Listener ListenersReader::advance(const Group& group, const Reading& reading, Count somaxconn,
                                  std::map<Endpoint, ListenerHistory>& still_there) {
  const auto& first = group.members.front();
  std::vector<ListenerSocket> sockets;
  sockets.reserve(group.members.size());
  for (const auto& member : group.members) sockets.push_back(member.socket);
  auto known = histories_.extract(first.endpoint);
  if (!known) known = missed_.extract(first.endpoint);
  const bool appears = known.empty();
  auto& history =
      appears ? still_there[first.endpoint] : still_there.insert(std::move(known)).position->second;
  if (appears && !all_kept_) history.know_drops_of(sockets);
  if (!appears) history.rested(rested_);
  return history.advance(first.endpoint, first.v6_only, std::move(sockets), reading.now, somaxconn);
}

std::optional<TimePoint> ListenersReader::still_holds(const Reading& reading) {
  if (!calm_at_ || reading.now - *calm_at_ >= longest_rest(kLongestRest, reading.netns_id))
    return std::nullopt;
  // Elsewhere the counters are read as often as listeners are.
  const auto as_of = reading.netns_id == NetnsId::host ? stillness_.lasts_until_now(reading)
                                                       : stillness_.lasts_until(reading.netns());
  if (as_of) ++rested_;
  return as_of;
}

Result<Listeners> ListenersReader::operator()(const Reading& reading) {
  seen_.clear();
  calm_at_.reset();
  stillness_.begin_now(reading);
  Result<void> parsed;
  const SocketDump request{.states = state_bit(TcpState::listen), .socket_memory = true};
  const auto dumped =
      reading.source.dump_sockets(request, [&](auto payload) { add(payload, seen_, parsed); });
  forget_another_netns(reading.source.generation(), dumped);
  if (!dumped) return tl::unexpected<Error>(dumped.error());
  if (!parsed) return tl::unexpected<Error>(parsed.error());

  const auto& seen = seen_.in_groups();
  Listeners listeners{.cut = seen_.cut(), .waited_on_cut = seen_.waited_on_cut()};
  auto groups = groups_of(seen);
  if (const auto most = reading.netns().generation == 0 ? kMaxSockets : kMaxSocketsFound; seen.size() > most)
    groups = choose(std::move(groups), most, listeners);
  const auto somaxconn = somaxconn_of(reading);
  std::map<Endpoint, ListenerHistory> still_there;
  listeners.listeners.reserve(groups.size());
  for (const auto& group : groups)
    listeners.listeners.push_back(advance(group, reading, somaxconn, still_there));
  missed_ = std::exchange(histories_, std::move(still_there));  // a dump can miss a listener's only socket
  all_kept_ = listeners.cut == 0;
  std::sort(listeners.listeners.begin(), listeners.listeners.end(), [](const auto& a, const auto& b) {
    return std::tie(a.endpoint.port, a.endpoint) < std::tie(b.endpoint.port, b.endpoint);
  });
  rested_ = 0;
  const bool all_seen = missed_.empty() && listeners.cut == 0;
  if (all_seen && std::ranges::none_of(listeners.listeners, &Listener::was_waited_on)) calm_at_ = reading.now;
  return listeners;
}

}  // namespace tcpdiag
