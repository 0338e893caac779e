// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/accept_queue.h"

#include <algorithm>
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
  const bool begins = was == nullptr || looks(is.fill) < looks(was->fill);
  const FillHistogram none;
  const auto& base = begins ? none : was->fill;
  step.looks = looks(is.fill) - looks(base);
  step.full = full_looks(is.fill) - full_looks(base);
  step.empty = empty_looks(is.fill) - empty_looks(base);
  if (!begins && is.drops && was->drops && *is.drops >= *was->drops) step.drops = *is.drops - *was->drops;
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

// A run that goes on is shown by every snapshot, longer each time.
void add_run(const std::optional<QueueRun>& run, std::vector<QueueRun>& runs) {
  if (!run) return;
  if (!runs.empty() && runs.back().since == run->since)
    runs.back() = *run;
  else
    runs.push_back(*run);
}

void add_runs(const Listener& listener, QueueCourse& course) {
  add_run(listener.full, course.full_runs);
  add_run(listener.standing, course.standing_runs);
  add_run(listener.still, course.still_runs);
}

QueueCourse course_of(const Window& window, const Listener& listener, std::size_t place) {
  QueueCourse course{.listener = &listener, .looked_at = window.netns().listeners.read_at};
  const Snapshot* before = nullptr;
  const NetnsView* view_before = nullptr;
  const Listener* was = nullptr;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const auto* listeners = window.view(i).listeners.get();
    if (listeners == nullptr) continue;
    const auto* is = find_near(*listeners, listener.endpoint, place);
    if (is != nullptr && was != nullptr && !goes_on(*was, *is))
      course = {.listener = course.listener, .looked_at = course.looked_at};
    else if (is != nullptr && before != nullptr) {
      course.steps.push_back(step_between(*before, window.snapshot(i), was, *is));
      add_overflows(course.steps.back(), *view_before, window.view(i));
    }
    if (is != nullptr) add_runs(*is, course);
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

// Marks the steps that touch a run of at least that length: also the one right before it, in which the queue
// filled, and those behind it while clients that were turned away try again. Their SYNs come after 1, 3, 7,
// 15, 31 and 63 s, those of many clients at the same time.
void mark_runs(const std::vector<QueueStep>& steps, const std::vector<QueueRun>& runs,
               std::chrono::milliseconds least, std::vector<bool>& marked) {
  constexpr std::chrono::seconds kRetries{64};
  for (const auto& run : runs) {
    if (length_of(run) < least) continue;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto& begin = i + 1 < steps.size() ? steps[i + 1].to : steps[i].to;
      if (begin >= run.since && steps[i].from <= run.until + kRetries) marked[i] = true;
    }
  }
}

// The steps since then that belong neither to a long stall nor to a server that was too slow for long.
std::vector<const QueueStep*> burst_steps(const QueueCourse& course, TimePoint since,
                                          std::chrono::milliseconds stall, std::chrono::milliseconds slow) {
  const auto& steps = course.steps;
  std::vector<bool> stalled(steps.size());
  mark_runs(steps, course.full_runs, stall, stalled);
  mark_runs(steps, course.standing_runs, slow, stalled);
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
// dumps of the run: the most of any two. Empty: there are no two, or they do not tell.
std::optional<std::uint64_t> taken_between_dumps(const Window& window, std::uint16_t port,
                                                 const QueueRun& run) {
  const auto dumps = window.readings(&NetnsView::connections);
  std::optional<std::uint64_t> most;
  for (std::size_t i = 1; i < dumps.size(); ++i) {
    if (dumps[i - 1].at < run.since || dumps[i].at > run.until) continue;
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

std::uint64_t waiting_at(const Listener& listener) {
  std::uint64_t waiting = 0;
  for (const auto& member : listener.sockets) waiting += member.queue_length;
  return waiting;
}

// Every connection that enters a queue counts as a passive open in its namespace: when no more were opened in
// the run than the queue grew by, none was taken from it. Looked at from one second into the run on, in which
// a full queue may still be filled; empty: there are no two snapshots from then on.
std::optional<bool> grew_by_all_that_opened(const Window& window, const Listener& listener,
                                            const QueueRun& run) {
  constexpr std::chrono::milliseconds kOneMoment{200};
  struct Look {
    std::uint64_t opens, waiting;
  };
  std::optional<Look> first, last;
  for (std::size_t i = 0; i < window.size(); ++i) {
    // Both have to be of one moment.
    const auto at = window.view(i).listeners.read_at;
    const auto apart = std::chrono::abs(at - window.view(i).tcp.read_at);
    if (at < run.since + std::chrono::seconds(1) || at > run.until || apart > kOneMoment) continue;
    const auto* tcp = window.view(i).tcp.get();
    const auto* listeners = window.view(i).listeners.get();
    const auto* then = listeners == nullptr ? nullptr : find_listener(*listeners, listener.endpoint);
    if (tcp == nullptr || !tcp->passive_opens || then == nullptr) return std::nullopt;
    const Look look{*tcp->passive_opens, waiting_at(*then)};
    (first ? last : first) = look;
  }
  if (!first || !last || last->opens < first->opens) return std::nullopt;
  return last->opens - first->opens <= last->waiting - std::min(last->waiting, first->waiting);
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

// Ticks waver: three seconds may be a little less.
std::chrono::milliseconds length_of(const QueueRun& run) {
  using Tenths = std::chrono::duration<std::int64_t, std::deci>;
  return std::chrono::round<Tenths>(run.until - run.since);
}

std::optional<QueueRun> QueueCourse::present(const std::vector<QueueRun>& runs) const {
  return runs.empty() || runs.back().until != looked_at ? std::nullopt : std::optional(runs.back());
}

namespace {

std::chrono::milliseconds length_of(const std::optional<QueueRun>& run) {
  return run ? tcpdiag::length_of(*run) : std::chrono::milliseconds(0);
}

}  // namespace

std::chrono::milliseconds QueueCourse::pinned_for() const { return length_of(present(full_runs)); }

std::chrono::milliseconds QueueCourse::still_for() const { return length_of(present(still_runs)); }

bool QueueCourse::was_taken_from() const {
  const auto still = present(still_runs);
  const auto standing = present(standing_runs);
  return still && standing && standing->since < still->since;
}

bool QueueCourse::was_full_before() const {
  const auto still = present(still_runs);
  return still && was_taken_from() && std::ranges::any_of(steps, [&](const QueueStep& step) {
           return step.full > 0 && step.to <= still->since && step.to > present(standing_runs)->since;
         });
}

std::chrono::milliseconds QueueCourse::stood_for() const { return length_of(present(standing_runs)); }

std::chrono::milliseconds QueueCourse::served_for(std::chrono::milliseconds pause) const {
  const auto standing = present(standing_runs);
  const auto still = present(still_runs);
  if (!standing || (still && still->since <= standing->since)) return {};
  auto since = standing->since;
  for (const auto& run : still_runs)
    if (tcpdiag::length_of(run) >= pause) since = std::max(since, run.until);
  return std::chrono::duration_cast<std::chrono::milliseconds>(looked_at - since);
}

std::uint64_t QueueCourse::overflows(TimePoint since) const {
  std::vector<const QueueStep*> counted;
  for (const auto& step : steps)
    if (step.to > since) counted.push_back(&step);
  return sum_of_overflows(counted);
}

std::uint64_t QueueCourse::overflows_in_bursts(TimePoint since, std::chrono::milliseconds stall,
                                               std::chrono::milliseconds slow) const {
  return sum_of_overflows(burst_steps(*this, since, stall, slow));
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
  // A queue fills and empties within seconds: where there are so many listeners that their budget allows a
  // look only now and then, what happens in between is not known.
  constexpr std::chrono::seconds kPresent{15};
  const auto now = window.latest(&NetnsView::listeners, kPresent);
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
  return Error{Errc::too_large, "listeners: only each user's fullest are looked at; " + std::to_string(cut) +
                                    " more with connections in their queue are not"};
}

std::optional<bool> accepts(const Window& window, const Listener& listener, const QueueRun& run) {
  const auto all_still_there = grew_by_all_that_opened(window, listener, run);
  if (all_still_there == true) return false;
  // Somebody's connections were opened: the dumps that fall into it tell whether any entered this queue. They
  // are counted by port: where several addresses share one, that any was taken says nothing about this one.
  const auto taken = taken_between_dumps(window, listener.endpoint.port, run);
  if (!taken || (*taken > 0 && shares_port(window, listener))) return std::nullopt;
  return *taken > 0;
}

std::optional<std::chrono::milliseconds> first_waited(const Window& window, const Listener& listener,
                                                      TimePoint since) {
  const auto dumps = window.readings(&NetnsView::connections);
  if (dumps.empty() || dumps.back().at < since || shares_port(window, listener)) return std::nullopt;
  const auto* port = find_server_port(*dumps.back().value, listener.endpoint.port);
  return port == nullptr ? std::nullopt : port->unaccepted_longest;
}

std::optional<std::chrono::milliseconds> first_waits(const Window& window, const Listener& listener,
                                                     const QueueRun& still) {
  const auto waited = first_waited(window, listener, still.since);
  if (!waited) return std::nullopt;
  const auto dump_age = window.now() - window.readings(&NetnsView::connections).back().at;
  return std::chrono::round<std::chrono::milliseconds>(*waited + dump_age);
}

std::optional<std::uint64_t> accepted_and_unchanged(const Window& window, const Listener& listener,
                                                    const QueueRun& run) {
  std::optional<std::uint64_t> same;
  std::size_t dumps = 0;
  for (const auto& dump : window.readings(&NetnsView::connections)) {
    if (dump.at < run.since || dump.at > run.until) continue;
    const auto* port = find_server_port(*dump.value, listener.endpoint.port);
    if (port == nullptr) return std::nullopt;
    const auto open = std::uint64_t{port->count(TcpState::established)} + port->count(TcpState::close_wait);
    const auto accepted = open - std::min<std::uint64_t>(open, port->unaccepted);
    if (accepted == 0 || (same && *same != accepted)) return 0;
    same = accepted;
    ++dumps;
  }
  return dumps >= 2 ? same : std::nullopt;
}

std::optional<bool> stands_beside_others(const Window& window, const Listener& group,
                                         std::chrono::milliseconds time) {
  const auto at_others = waiting_at_others(window, group, time);
  if (!at_others) return false;
  const QueueRun run{window.now() - time, window.now()};
  if (grew_by_all_that_opened(window, group, run) == true) return true;
  const auto taken = taken_between_dumps(window, group.endpoint.port, run);
  if (!taken) return std::nullopt;
  constexpr std::uint64_t kJustArrived = 2;  // at each of the others when it was dumped
  const bool still = *taken <= *at_others + kJustArrived * group.sockets.size();
  if (!still && shares_port(window, group)) return std::nullopt;
  return still;
}

}  // namespace tcpdiag
