// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/accept_queue.h"

#include <algorithm>
#include <functional>
#include <numeric>

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

Count overflows_between(const NetnsView& before, const NetnsView& after) {
  const auto* was = before.tcp.get();
  const auto* is = after.tcp.get();
  if (was == nullptr || is == nullptr || !was->listen_overflows || !is->listen_overflows) return std::nullopt;
  if (*is->listen_overflows < *was->listen_overflows) return std::nullopt;
  return *is->listen_overflows - *was->listen_overflows;
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
      course.steps.back().overflows = overflows_between(*view_before, window.view(i));
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

// A step in which nobody looked changes nothing: the daemon may have stood still.
template <class Holds>
std::chrono::milliseconds lasted(const std::vector<QueueStep>& steps, Holds holds) {
  auto first = steps.size();
  for (auto i = steps.size(); i > 0 && (holds(steps[i - 1]) || steps[i - 1].looks == 0); --i)
    if (steps[i - 1].looks > 0) first = i - 1;
  if (first == steps.size()) return {};
  return std::chrono::round<std::chrono::milliseconds>(steps.back().to - steps[first].from);
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
    if (end > begin && steps[end - 1].to - steps[begin].from >= least) {
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
// fill and leave a queue between two looks; then most of what was counted must have been dropped here.
std::uint64_t overflows_of(const QueueStep& step) {
  if (!step.overflows || *step.overflows == 0) return 0;
  if (!step.drops) return step.full > 0 ? *step.overflows : 0;
  const bool here = step.full > 0 || 2 * *step.drops >= *step.overflows;
  return here ? std::min(*step.drops, *step.overflows) : 0;
}

std::uint64_t sum_of_overflows(const std::vector<const QueueStep*>& steps) {
  std::uint64_t sum = 0;
  for (const auto* step : steps) sum += overflows_of(*step);
  return sum;
}

const PortConnections* find_port(const Connections& connections, std::uint16_t port) {
  const auto found = std::ranges::find(connections.server, port, &PortConnections::port);
  return found == connections.server.end() ? nullptr : &*found;
}

bool shares_port(const Window& window, const Listener& listener) {
  const auto* listeners = window.netns().listeners.get();
  return listeners != nullptr &&
         std::ranges::count(listeners->listeners, listener.endpoint.port,
                            [](const Listener& each) { return each.endpoint.port; }) > 1;
}

}  // namespace

bool QueueCourse::hit_limit() const {
  return std::ranges::any_of(steps, [](const QueueStep& step) { return step.full > 0; });
}

std::chrono::milliseconds QueueCourse::pinned_for() const {
  return lasted(steps, std::mem_fn(&QueueStep::pinned));
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
  const auto* oldest = *now;
  for (std::size_t i = window.size(); i-- > 0;)
    if (const auto* listeners = window.view(i).listeners.get()) oldest = listeners;
  std::vector<QueueCourse> courses;
  const auto& all = (*now)->listeners;
  for (std::size_t place = 0; place < all.size(); ++place)
    if (in_trouble(find_near(*oldest, all[place].endpoint, place), all[place]))
      courses.push_back(course_of(window, all[place], place));
  return courses;
}

std::optional<bool> accepts(const Window& window, const Listener& listener, std::chrono::milliseconds time) {
  // A full queue out of which a connection is taken is filled again by the clients that were turned away, and
  // every connection that enters it counts as a passive open. In the first second it may just have filled.
  const auto full = std::chrono::floor<std::chrono::seconds>(time - std::chrono::seconds(1));
  const auto opens = window.last(std::max(full, std::chrono::seconds(1))).increase(kPassiveOpens);
  if (opens && *opens == 0) return false;
  // Somebody's connections were opened: the dumps that fall into it tell whether any entered this queue. They
  // are counted by port: where several addresses share one, that any was taken says nothing about this one.
  const auto begin = window.now() - time;
  const auto dumps = window.readings(&NetnsView::connections);
  std::optional<bool> any;
  for (std::size_t i = 1; i < dumps.size(); ++i) {
    if (dumps[i - 1].at < begin) continue;
    const auto* before = find_port(*dumps[i - 1].value, listener.endpoint.port);
    const auto* after = find_port(*dumps[i].value, listener.endpoint.port);
    if (before == nullptr || after == nullptr || !after->unaccepted_left) return std::nullopt;
    // One that leaves because its client reset it makes no room in the queue.
    const bool entered = after->unaccepted + *after->unaccepted_left > before->unaccepted;
    any = any.value_or(false) || (entered && *after->unaccepted_left > 0);
  }
  if (any.value_or(false) && shares_port(window, listener)) return std::nullopt;
  return any;
}

}  // namespace tcpdiag
