// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/accept_queue.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/fair_share.h"
#include "core/saturating.h"
#include "diagnosis/counters.h"
#include "diagnosis/subjects.h"

namespace tcpdiag {
namespace {

std::uint64_t looks(const FillHistogram& fill) {
  return std::accumulate(fill.samples.begin(), fill.samples.end(), std::uint64_t{0});
}
std::uint64_t full_looks(const FillHistogram& fill) { return fill.samples.back(); }
std::uint64_t empty_looks(const FillHistogram& fill) { return fill.samples.front(); }

// A histogram that has fewer looks than before began anew with a new listener: all of it is new.
QueueStep step_between(const Snapshot& before, const Snapshot& after, const Listener* was,
                       const Listener& is) {
  QueueStep step{.from = before.at, .to = after.at, .length = is.fullest().queue_length, .drops = is.drops};
  const bool anew = was == nullptr || looks(is.fill) < looks(was->fill);
  const FillHistogram none;
  const auto& base = anew ? none : was->fill;
  step.looks = looks(is.fill) - looks(base);
  step.full = full_looks(is.fill) - full_looks(base);
  step.empty = empty_looks(is.fill) - empty_looks(base);
  if (!anew && is.drops && was->drops && *is.drops >= *was->drops) step.drops = *is.drops - *was->drops;
  return step;
}

// Every overflow is a drop as well (tcp_conn_request(), tcp_v4_syn_recv_sock()).
void add_overflows(QueueStep& step, const NetnsView& before, const NetnsView& after) {
  const auto* was = before.tcp.get();
  const auto* is = after.tcp.get();
  if (was == nullptr || is == nullptr) return;
  step.overflows = increase_of(was->listen_overflows, is->listen_overflows);
  const auto drops = increase_of(was->listen_drops, is->listen_drops);
  if (drops && step.overflows && *drops >= *step.overflows) step.other_drops = *drops - *step.overflows;
}

// Listeners keep their order, so the same one is nearly always at the same place.
const Listener* find_near(const Listeners& listeners, const Endpoint& endpoint, std::size_t place) {
  const auto& all = listeners.listeners;
  if (place < all.size() && all[place].endpoint == endpoint) return &all[place];
  return find_listener(listeners, endpoint);
}

// Whether it goes on, rather than that a server was started anew or called listen() again: what happened
// before that says nothing about it. Of a group, members may come and go.
bool goes_on(const Listener& was, const Listener& is) {
  const auto is_there = [&](const ListenerSocket& before) {
    return std::ranges::any_of(is.sockets, [&](const ListenerSocket& now) {
      return now.cookie == before.cookie && now.queue_limit == before.queue_limit;
    });
  };
  return std::ranges::any_of(was.sockets, is_there);
}

QueueCourse course_of(const Window& window, const Listener& listener, std::size_t place) {
  QueueCourse course{.listener = &listener};
  const Snapshot* before = nullptr;
  const NetnsView* view_before = nullptr;
  const Listener* was = nullptr;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const auto* listeners = window.view(i).listeners.get();
    if (listeners == nullptr) continue;
    const auto* is = find_near(*listeners, listener.endpoint, place);
    if (is != nullptr && was != nullptr && !goes_on(*was, *is))
      course.steps.clear();
    else if (is != nullptr && before != nullptr) {
      course.steps.push_back(step_between(*before, window.snapshot(i), was, *is));
      add_overflows(course.steps.back(), *view_before, window.view(i));
    }
    before = &window.snapshot(i);
    view_before = &window.view(i);
    if (is != nullptr) was = is;  // one dump can miss a listener
  }
  return course;
}

bool in_trouble(const Listener* was, const Listener& is) {
  if (is.fullest().queue_length > 0) return true;
  if (was == nullptr || looks(is.fill) < looks(was->fill))
    return full_looks(is.fill) > 0 || is.drops.value_or(0) > 0;
  return full_looks(is.fill) > full_looks(was->fill) || is.drops > was->drops;
}

std::vector<std::size_t> all_places_in_trouble(const Window& window, const Listeners& now) {
  const auto* oldest = &now;
  for (std::size_t i = window.size(); i-- > 0;)
    if (const auto* listeners = window.view(i).listeners.get()) oldest = listeners;
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < now.listeners.size(); ++place)
    if (in_trouble(find_near(*oldest, now.listeners[place].endpoint, place), now.listeners[place]))
      places.push_back(place);
  return places;
}

// Where the listeners stand whose queues are worth a look, in their order.
std::vector<std::size_t> places_in_trouble(const Window& window, const Listeners& now) {
  auto places = all_places_in_trouble(window, now);
  if (places.size() <= kMostQueues) return places;
  std::ranges::stable_sort(places, std::greater<>(),
                           [&](std::size_t place) { return fill_ratio(now.listeners[place].fullest()); });
  share_out(places, [&](std::size_t place) { return now.listeners[place].fullest().uid; });
  places.resize(kMostQueues);
  std::ranges::sort(places);
  return places;
}

std::uint64_t queues_cut(const Window& window, const Listeners& now) {
  if (now.listeners.size() <= kMostQueues) return 0;
  const auto troubled = all_places_in_trouble(window, now).size();
  return troubled - std::min(troubled, kMostQueues);
}

// Rounded to the distance of two looks, because ticks waver: three seconds may be a little less.
std::chrono::milliseconds duration_of(const QueueStep& first, const QueueStep& last) {
  using Tenths = std::chrono::duration<std::int64_t, std::deci>;
  return std::chrono::round<Tenths>(last.to - first.from);
}

// A step in which nobody looked changes nothing: the daemon may have stood still.
template <class Holds>
std::chrono::milliseconds lasted(const std::vector<QueueStep>& steps, Holds holds) {
  auto first = steps.size();
  for (auto i = steps.size(); i > 0 && (holds(steps[i - 1]) || steps[i - 1].looks == 0); --i)
    if (steps[i - 1].looks > 0) first = i - 1;
  if (first == steps.size()) return {};
  return duration_of(steps[first], steps.back());
}

// Marks the steps of every run that holds for so long: also the one right before it, in which the queue
// filled, and those behind it while clients that were turned away still try again.
template <class Holds>
void mark_runs(const std::vector<QueueStep>& steps, Holds holds, std::chrono::milliseconds least,
               std::vector<bool>& marked) {
  constexpr std::chrono::seconds kRetries{5};
  for (std::size_t begin = 0; begin < steps.size();) {
    auto end = begin;
    while (end < steps.size() && (holds(steps[end]) || (end > begin && steps[end].looks == 0))) ++end;
    if (end > begin && duration_of(steps[begin], steps[end - 1]) >= least) {
      const auto over = steps[end - 1].to + kRetries;
      for (auto i = begin == 0 ? 0 : begin - 1; i < steps.size() && steps[i].from <= over; ++i)
        marked[i] = true;
    }
    begin = std::max(end, begin + 1);
  }
}

// The steps since then that belong neither to a long stall nor to a server that was too slow for long.
std::vector<const QueueStep*> burst_steps(const std::vector<QueueStep>& steps, TimePoint since,
                                          std::chrono::milliseconds stall, std::chrono::milliseconds slow) {
  std::vector<bool> stalled(steps.size());
  mark_runs(steps, std::mem_fn(&QueueStep::pinned), stall, stalled);
  mark_runs(steps, std::mem_fn(&QueueStep::stands), slow, stalled);
  std::vector<const QueueStep*> bursts;
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (!stalled[i] && steps[i].to > since) bursts.push_back(&steps[i]);
  return bursts;
}

// What of the namespace's overflows happened at this listener: never more than it dropped itself. A burst can
// fill and leave a queue between two looks; then most of what was counted must have been dropped here, or the
// listener dropped more than all that was dropped for another reason.
std::uint64_t overflows_of(const QueueStep& step) {
  if (!step.overflows || *step.overflows == 0) return 0;
  if (!step.drops) return step.full > 0 ? *step.overflows : 0;
  const bool most = saturating_multiply<std::uint64_t>(*step.drops, 2) >= *step.overflows;
  const bool more_than_others = step.other_drops && *step.drops > *step.other_drops;
  return step.full > 0 || most || more_than_others ? std::min(*step.drops, *step.overflows) : 0;
}

std::uint64_t sum_of_overflows(const std::vector<const QueueStep*>& steps) {
  std::uint64_t sum = 0;
  for (const auto* step : steps) sum = saturating_add(sum, overflows_of(*step));
  return sum;
}

bool shares_port(const Window& window, const Listener& listener) {
  const auto* listeners = window.netns().listeners.get();
  return listeners != nullptr &&
         std::ranges::count(listeners->listeners, listener.endpoint.port,
                            [](const Listener& each) { return each.endpoint.port; }) > 1;
}

// How many connections, at least, were taken from the queues of a port and made room for others, between two
// dumps of the last `time`: the most of any two. Empty: there are no two, or they do not tell.
std::optional<std::uint64_t> taken_between_dumps(const Window& window, std::uint16_t port,
                                                 std::chrono::milliseconds time) {
  const auto begin = window.now() - time;
  const auto dumps = window.readings(&NetnsView::connections);
  std::optional<std::uint64_t> most;
  for (std::size_t i = 1; i < dumps.size(); ++i) {
    if (dumps[i - 1].at < begin) continue;
    const auto* before = find_server_port(*dumps[i - 1].value, port);
    const auto* after = find_server_port(*dumps[i].value, port);
    if (before == nullptr || after == nullptr || !after->unaccepted_left) return std::nullopt;
    // One that leaves because its client reset it makes no room in the queue.
    const auto left = *after->unaccepted_left,
               stayed_or_entered = saturating_add<std::uint64_t>(after->unaccepted, left);
    const auto entered = stayed_or_entered - std::min<std::uint64_t>(stayed_or_entered, before->unaccepted);
    most = std::max(most.value_or(0), std::min(left, entered));
  }
  return most;
}

// A full queue out of which a connection is taken is filled again by the clients that were turned away, and
// every connection that enters it counts as a passive open. In the first second it may just have filled.
bool none_opened(const Window& window, std::chrono::milliseconds full_for) {
  const auto full = std::chrono::floor<std::chrono::seconds>(full_for - std::chrono::seconds(1));
  const auto opens = window.last(std::max(full, std::chrono::seconds(1))).increase(kPassiveOpens);
  return opens && *opens == 0;
}

// The longest that the queues of the other members were, together, at a snapshot of the last `time`; empty:
// one of them was more than half full, so that they are hardly served better.
std::optional<std::uint64_t> waiting_at_others(const Window& window, const Listener& group,
                                               std::chrono::milliseconds time) {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const auto* listeners = window.view(i).listeners.get();
    const auto* then = listeners == nullptr ? nullptr : find_listener(*listeners, group.endpoint);
    if (then == nullptr || window.snapshot(i).at < window.now() - time) continue;
    std::uint64_t waiting = 0;
    for (const auto& member : then->sockets) {
      const auto now = std::ranges::find(group.sockets, member.cookie, &ListenerSocket::cookie);
      if (now == group.sockets.end() || is_full(*now)) continue;
      if (2 * member.queue_length > member.queue_limit) return std::nullopt;
      waiting += member.queue_length;
    }
    most = std::max(most, waiting);
  }
  return most;
}

}  // namespace

bool QueueCourse::hit_limit() const {
  return std::ranges::any_of(steps, [](const QueueStep& step) { return step.full > 0; });
}

std::chrono::milliseconds QueueCourse::pinned_for() const {
  return lasted(steps, std::mem_fn(&QueueStep::pinned));
}
bool QueueCourse::was_full_before() const {
  auto step = steps.rbegin();
  while (step != steps.rend() && (step->pinned() || step->looks == 0)) ++step;
  if (step != steps.rend()) ++step;  // in which it filled
  for (; step != steps.rend() && step->empty == 0; ++step)
    if (step->full > 0) return true;
  return false;
}

std::chrono::milliseconds QueueCourse::stood_for() const {
  return lasted(steps, std::mem_fn(&QueueStep::stands));
}

std::uint64_t QueueCourse::overflows(TimePoint since) const {
  std::vector<const QueueStep*> counted;
  for (const auto& step : steps)
    if (step.to > since) counted.push_back(&step);
  return sum_of_overflows(counted);
}

std::uint64_t QueueCourse::overflows_in_bursts(TimePoint since, std::chrono::milliseconds stall,
                                               std::chrono::milliseconds slow) const {
  return sum_of_overflows(burst_steps(steps, since, stall, slow));
}

bool QueueCourse::grows() const {
  constexpr std::chrono::seconds kLately{2};
  for (std::size_t i = steps.size(); i-- > 1 && steps.back().to - steps[i].from <= kLately;)
    if (steps[i].length < steps[i - 1].length) return false;
  return steps.size() > 1;
}

bool QueueCourse::emptied_since_overflow() const {
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    // Within one step it may have been empty before it was full: then what is left at its end tells.
    const bool overflowed = step->full > 0 || overflows_of(*step) > 0;
    if (overflowed) return step->empty > 0 && step->length == 0;
    if (step->empty > 0) return true;
  }
  return false;
}

Result<std::vector<QueueCourse>> troubled_queues(const Window& window) {
  const auto now = window.latest(&NetnsView::listeners);
  if (!now) return tl::unexpected<Error>(now.error());
  std::vector<QueueCourse> courses;
  for (const auto place : places_in_trouble(window, **now))
    courses.push_back(course_of(window, (*now)->listeners[place], place));
  return courses;
}

std::optional<Error> unseen_queues(const Window& window) {
  const auto now = window.latest(&NetnsView::listeners);
  if (!now) return std::nullopt;
  const auto cut = (*now)->waited_on_cut + queues_cut(window, **now);
  if (cut == 0) return std::nullopt;
  return Error{Errc::too_large, "listeners: the fullest of each user are looked at, " + std::to_string(cut) +
                                    " further ones with connections in their queue are not"};
}

std::optional<bool> accepts(const Window& window, const Listener& listener, std::chrono::milliseconds time) {
  if (none_opened(window, time)) return false;
  // Somebody's connections were opened: the dumps that fall into it tell whether any entered this queue. They
  // are counted by port: where several addresses share one, that any was taken says nothing about this one.
  const auto taken = taken_between_dumps(window, listener.endpoint.port, time);
  if (!taken || (*taken > 0 && shares_port(window, listener))) return std::nullopt;
  return *taken > 0;
}

std::optional<bool> stands_beside_others(const Window& window, const Listener& group,
                                         std::chrono::milliseconds time) {
  const auto at_others = waiting_at_others(window, group, time);
  if (!at_others) return false;
  if (none_opened(window, time)) return true;
  const auto taken = taken_between_dumps(window, group.endpoint.port, time);
  if (!taken) return std::nullopt;
  constexpr std::uint64_t kJustArrived = 2;  // at each of the others when it was dumped
  const bool still = *taken <= *at_others + kJustArrived * group.sockets.size();
  if (!still && shares_port(window, group)) return std::nullopt;
  return still;
}

}  // namespace tcpdiag
