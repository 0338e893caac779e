// SPDX-License-Identifier: Apache-2.0
// The queue of connections that wait for accept(): why it is full.
#include "diagnosis/accept_queue.h"

#include <algorithm>

#include "core/owners.h"
#include "diagnosis/counters.h"
#include "diagnosis/descriptor_facts.h"
#include "diagnosis/evidence.h"
#include "diagnosis/known_servers.h"
#include "diagnosis/listener_workers.h"
#include "diagnosis/rules/accept_queue_words.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/wanted_settings.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kBurstWindow{30};
constexpr std::chrono::seconds kLately{10};

milliseconds from_seconds(double seconds) {
  return milliseconds(static_cast<milliseconds::rep>(seconds * 1000));
}

// What has lasted since the listener was first looked at may have begun before it.
std::string lasted_text(const Listener& listener, milliseconds time) {
  constexpr milliseconds kBetweenLooks{100};
  std::uint64_t looks = 0;
  for (const auto samples : listener.fill.samples) looks += samples;
  const bool since_begin = time + std::chrono::seconds(1) >= looks * kBetweenLooks;
  return (since_begin ? "over " : "") + duration_text(std::chrono::floor<std::chrono::seconds>(time));
}

const ListenerSocket& judged(const Listener& listener) { return listener.fullest(); }

// The queue's own limit, and which of listen() and somaxconn set it.
void add_limit(Facts& facts, const Window& window, std::uint32_t limit) {
  facts.values["limit"] = number_text(limit);
  const auto wanted = larger_backlog(limit);
  if (wanted > limit) facts.values["new_backlog"] = std::to_string(wanted);
  facts.bites = Bites{.limit = "listen backlog", .value = static_cast<double>(limit)};
  facts.values.flag("raise_backlog");
  const auto somaxconn = window.setting("net.core.somaxconn");
  if (!somaxconn) return;
  facts.bites->ceiling = "net.core.somaxconn";
  facts.bites->ceiling_value = static_cast<double>(*somaxconn);
  facts.values["somaxconn"] = std::to_string(*somaxconn);
  if (*somaxconn == limit) {
    facts.values.flag("clamped");
    facts.bites = Bites{.limit = "net.core.somaxconn", .value = static_cast<double>(limit)};
    facts.values.erase("raise_backlog");
  } else {
    facts.values.flag("own_limit");
  }
  if (wanted > limit && *somaxconn < static_cast<std::int64_t>(wanted))
    facts.values["new_somaxconn"] = std::to_string(wanted_somaxconn(*somaxconn));
}

void add_evidence(Facts& facts, const Window& window, const QueueCourse& course) {
  const auto& member = judged(*course.listener);
  add_reading(facts, "accept queue", member.queue_length, "connections");
  add_reading(facts, "accept queue limit", member.queue_limit, "connections");
  facts.values["length"] = number_text(member.queue_length);
  if (const auto overflows = window.increase(&TcpCounters::listen_overflows))
    add_increase(facts, window, &TcpCounters::listen_overflows, *overflows, "events");
  const auto turned_away = course.overflows(window.snapshot(0).at);
  add_increase(facts, window, "of them at this listener", turned_away, "events");
  facts.values["overflows"] = std::to_string(turned_away);
  if (turned_away > 0) facts.values["turned_away"] = std::to_string(turned_away);
}

Facts facts_about(const Window& window, const QueueCourse& course) {
  Facts facts{.subject = listener_subject(window, *course.listener)};
  add_limit(facts, window, judged(*course.listener).queue_limit);
  add_evidence(facts, window, course);
  if (const auto pinned = course.pinned_for(); pinned.count() > 0) {
    facts.values["pinned"] = lasted_text(*course.listener, pinned);
    add_reading(facts, "accept queue full without a break", std::chrono::duration<double>(pinned).count(),
                "seconds");
  }
  return facts;
}

// Whether connections wait at every member: at one of several it is that worker's doing.
bool all_wait(const Listener& listener) {
  return std::ranges::all_of(listener.sockets,
                             [](const ListenerSocket& member) { return member.queue_length > 0; });
}

// Of a group that shares a port, whether every member's queue is full; a lone listener is its own group.
bool all_full(const Listener& listener) { return std::ranges::all_of(listener.sockets, is_full); }

bool at_fd_limit(const Process& process) {
  return process.open_fds && process.soft_limit && *process.open_fds >= *process.soft_limit;
}

const Process* owner_at_fd_limit(const Window& window, const Listener& listener) {
  const auto owners = owners_of(window, listener);
  const auto found = std::ranges::find_if(owners, [](const Process* owner) { return at_fd_limit(*owner); });
  return found == owners.end() ? nullptr : *found;
}

// Whether an owner was seen out of descriptors within the window: what was turned away is that one's doing.
bool owner_was_at_fd_limit(const Window& window, const Listener& listener) {
  return std::ranges::any_of(window.readings(&Snapshot::processes), [&](const Dated<Processes>& reading) {
    return std::ranges::any_of(all_owners(*reading.value, listener),
                               [](const Process* owner) { return at_fd_limit(*owner); });
  });
}

// Whether the owners can accept nothing because they do not run.
bool all_stopped(const Window& window, const Listener& listener) {
  const auto owners = owners_of(window, listener);
  return !owners.empty() && std::ranges::all_of(owners, [](const Process* owner) {
    return owner->comm == "systemd" || is_stopped(*owner);
  });
}

// Whether the listener's owners are known well enough to say that none is out of descriptors.
Result<void> owners_known(const Window& window, const Listener& listener) {
  const auto processes = window.latest(&Snapshot::processes);
  if (!processes) return tl::unexpected<Error>(processes.error());
  const auto owners = owners_of(window, listener);
  const auto where = "processes: the owner of " + to_string(listener_subject(window, listener));
  if (owners.empty()) return unexpected(Errc::not_read, where + " is not known");
  for (const auto* owner : owners)
    if (!owner->open_fds)
      return unexpected(Errc::not_read, where + ", pid " + std::to_string(owner->pid) +
                                            ": its open descriptors are not known");
  return {};
}

// Whether processes were looked at since then: before that, their descriptors say nothing about it. After
// some time without a look it is not waited for any more.
bool processes_looked_at(const Window& window, TimePoint since) {
  constexpr std::chrono::seconds kLongEnough{10};
  if (!window.newest().processes.known() || window.now() - since > kLongEnough) return true;
  return window.newest().processes.read_at >= since;
}

// For how long nothing is taken from a queue before that is a standstill. A server that took something out of
// it a moment ago, or that paused as long before, may well go on, slowly; so may one that systemd is
// starting.
milliseconds patience(const Window& window, const QueueCourse& course, const Thresholds& t) {
  const auto least = from_seconds(t.stall_seconds), most = from_seconds(t.slow_seconds);
  const bool turned_away = is_full(judged(*course.listener)) && course.overflows(window.snapshot(0).at) > 0;
  if (turned_away) return course.was_full_before() ? most : least;
  const auto owners = owners_of(window, *course.listener);
  const bool starts = !owners.empty() && std::ranges::all_of(owners, [](const Process* owner) {
    return owner->comm == "systemd";
  });
  if (starts || course.was_taken_from()) return most;
  auto longest = milliseconds(0);
  for (const auto& run : course.still_runs)
    if (run.until != course.looked_at) longest = std::max(longest, length_of(run));
  return std::clamp(2 * longest, least, most);
}

// Calls `judge` for every queue in trouble; what it returns are the findings. The rule is blind when it found
// none and could not decide about one; when it found one, it cannot tell about the other only.
template <class Judge>
Verdict for_each_queue(const Window& window, Judge judge) {
  const auto courses = troubled_queues(window);
  if (!courses) return Verdict::unknown(courses.error());
  std::vector<Facts> found;
  std::optional<Error> undecided;
  for (const auto& course : *courses) {
    const Result<std::optional<Facts>> facts = judge(course);
    if (!facts)
      undecided = facts.error();
    else if (*facts)
      found.push_back(**facts);
  }
  if (found.empty() && undecided) return Verdict::unknown(*undecided);
  return Verdict::found(std::move(found)).in_part(std::move(undecided));
}

constexpr std::optional<Facts> kNothing = std::nullopt;

Error accepting_not_known() {
  return {Errc::too_early, "connections: whether anything is accepted is not known yet"};
}

// Whether nothing is accepted during a run: an error where that cannot be told, also because the owner may be
// out of descriptors instead. That is not known before processes were looked at, and is said only after some
// seconds.
Result<bool> accepts_nothing(const Window& window, const Listener& listener, const QueueRun& run) {
  constexpr std::chrono::seconds kUntilItIsKnown{6};
  if (!processes_looked_at(window, run.since)) return false;
  if (owner_was_at_fd_limit(window.last(kLately), listener)) return false;
  const auto accepted = all_stopped(window, listener) ? std::optional(false) : accepts(window, listener, run);
  if (accepted) return !*accepted;
  if (length_of(run) < kUntilItIsKnown) return false;
  return tl::unexpected<Error>(accepting_not_known());
}

// The run in which nothing is taken from the queue, when it is long enough. One in which clients were turned
// away counts also when it is just over: otherwise it would be chance whether a short one is seen.
struct Standstill {
  QueueRun run;
  bool over = false;
};
std::optional<Standstill> standstill(const Window& window, const QueueCourse& course, const Thresholds& t) {
  constexpr milliseconds kJustOver{2000};
  if (const auto still = course.present(course.still_runs))
    return length_of(*still) >= patience(window, course, t) ? std::optional(Standstill{*still})
                                                            : std::nullopt;
  if (course.full_runs.size() != 1 || course.listener->sockets.size() != 1) return std::nullopt;
  const auto& full = course.full_runs.front();
  const bool counts = length_of(full) >= from_seconds(t.stall_seconds) &&
                      course.looked_at - full.until <= kJustOver && course.overflows(full.since) > 0;
  return counts ? std::optional(Standstill{full, true}) : std::nullopt;
}

// A server that does not want more connections: it waits for events though connections wait for it, and as
// many as it has accepted stay open.
struct OwnLimit {
  std::optional<std::string> knob;        // empty: it is no server that is known
  std::optional<std::uint64_t> accepted;  // empty: whether they stay the same is not known yet
};
std::optional<OwnLimit> own_limit(const Window& window, const Listener& listener, const QueueRun& run) {
  constexpr std::chrono::seconds kUntilItIsKnown{8};
  const auto workers = workers_of(window, listener);
  if (workers.empty() ||
      !std::ranges::all_of(workers, [](const Process* worker) { return waits_for_events(*worker); }))
    return std::nullopt;
  const auto accepted = accepted_and_unchanged(window, listener, run);
  if (accepted ? *accepted == 0 : length_of(run) >= kUntilItIsKnown) return std::nullopt;
  return OwnLimit{connection_knob(workers.front()->comm), accepted};
}

// Whether own_limit_reached() is the one to say it.
bool is_known_server(const std::optional<OwnLimit>& limit) { return limit && limit->knob; }

void add_steady(Facts& facts, const std::optional<OwnLimit>& limit) {
  if (!limit || !limit->accepted) return;
  facts.values["steady"] = std::to_string(*limit->accepted);
  add_reading(facts, "accepted connections, unchanged", *limit->accepted, "connections");
}

void add_first_wait(Facts& facts, std::chrono::duration<double> waits) {
  facts.values["first"] = duration_text(std::chrono::floor<std::chrono::seconds>(waits));
  add_reading(facts, "the first has waited for (tcp_info, last_data_sent)", waits.count(), "seconds");
}

void add_standstill(Facts& facts, const Window& window, const QueueCourse& course, const QueueRun& run) {
  const auto& listener = *course.listener;
  std::uint64_t waiting = 0, room = 0;
  for (const auto& member : listener.sockets) {
    waiting += member.queue_length;
    room += std::uint64_t{member.queue_limit} + 1;
  }
  facts.values["waiting"] = std::to_string(waiting);
  facts.values["room"] = number_text(static_cast<double>(room));
  facts.values["still"] = lasted_text(listener, length_of(run));
  add_reading(facts, "nothing taken from it", std::chrono::duration<double>(length_of(run)).count(),
              "seconds");
  if (const auto waits = first_waits(window, listener, run)) add_first_wait(facts, *waits);
}

Verdict app_stalled(const Window& window, const Thresholds& t) {
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    const auto& listener = *course.listener;
    const auto stall = standstill(window, course, t);
    if (!stall || !(stall->over || all_full(listener))) return kNothing;
    const auto nothing = accepts_nothing(window, listener, stall->run);
    if (!nothing) return tl::unexpected<Error>(nothing.error());
    const auto limit = own_limit(window, listener, stall->run);
    if (!*nothing || is_known_server(limit)) return kNothing;
    if (const auto known = owners_known(window, listener); !known)
      return tl::unexpected<Error>(known.error());
    auto facts = facts_about(window, course);
    add_standstill(facts, window, course, stall->run);
    if (stall->over)
      facts.values["was_full"] = number_text(static_cast<double>(judged(listener).queue_limit) + 1);
    else {
      add_doing(facts, window, listener);
      add_steady(facts, limit);
    }
    return facts;
  });
}

// A queue from which nothing was taken since the first look, which is not long ago, may be served the next
// moment, or never.
std::optional<Error> watched_too_shortly(const Window& window, const QueueCourse& course,
                                         const Thresholds& t) {
  const auto still = course.present(course.still_runs);
  const auto first_look = window.snapshot(0).at;
  if (!still || still->since > first_look + QueueRun::kLeast ||
      length_of(*still) >= patience(window, course, t))
    return std::nullopt;
  return Error{Errc::too_early,
               "listeners: nothing was taken from the queue of " +
                   to_string(listener_subject(window, *course.listener)) + " in the " +
                   duration_text(std::chrono::floor<std::chrono::seconds>(length_of(*still))) +
                   " that it has been watched"};
}

Verdict accept_queue_waiting(const Window& window, const Thresholds& t) {
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    const auto& listener = *course.listener;
    if (const auto early = watched_too_shortly(window, course, t)) return tl::unexpected<Error>(*early);
    const auto stall = standstill(window, course, t);
    if (!stall || stall->over || !all_wait(listener)) return kNothing;
    // Whose it is, is known after some seconds, or never. That somebody waits in vain is so all the same.
    if (!owners_known(window, listener) && length_of(stall->run) < from_seconds(t.slow_seconds))
      return kNothing;
    const auto nothing = accepts_nothing(window, listener, stall->run);
    if (!nothing) return tl::unexpected<Error>(nothing.error());
    const auto limit = own_limit(window, listener, stall->run);
    if (!*nothing || is_known_server(limit)) return kNothing;
    auto facts = facts_about(window, course);
    add_standstill(facts, window, course, stall->run);
    add_doing(facts, window, listener);
    add_steady(facts, limit);
    return facts;
  });
}

Verdict own_limit_reached(const Window& window, const Thresholds& t) {
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    const auto& listener = *course.listener;
    const auto stall = standstill(window, course, t);
    if (!stall || stall->over) return kNothing;
    const auto limit = own_limit(window, listener, stall->run);
    if (!is_known_server(limit) || !limit->accepted) return kNothing;
    const auto nothing = accepts_nothing(window, listener, stall->run);
    if (!nothing) return tl::unexpected<Error>(nothing.error());
    if (!*nothing) return kNothing;
    auto facts = facts_about(window, course);
    // Everybody who comes now is turned away.
    if (all_full(listener) && course.overflows(window.now() - kLately) > 0)
      facts.severity = Severity::critical;
    add_standstill(facts, window, course, stall->run);
    add_doing(facts, window, listener);
    facts.values["accepted"] = std::to_string(*limit->accepted);
    facts.values["own_knob"] = *limit->knob;
    facts.bites = Bites{.limit = *limit->knob, .value = static_cast<double>(*limit->accepted)};
    add_reading(facts, "accepted connections, unchanged", *limit->accepted, "connections");
    return facts;
  });
}

// Whether most attempts of the last seconds failed. What was opened is the whole namespace's: at least as
// many as were accepted here.
bool most_are_turned_away(const Window& window, const QueueCourse& course, const Thresholds& t) {
  const auto lately = window.last(kLately);
  const auto opened = lately.increase(&TcpCounters::passive_opens);
  const auto turned_away = course.overflows(lately.snapshot(0).at);
  return opened && turned_away > 0 &&
         static_cast<double>(turned_away) >= t.turned_away_share * static_cast<double>(turned_away + *opened);
}

// A queue that is full again and again, or stays full, while connections are taken out of it.
Result<bool> stays_full(const Window& window, const QueueCourse& course, const Thresholds& t) {
  if (course.overflows(window.now() - course.stood_for()) == 0) return false;
  // One that was full all the time and is so no more may just recover.
  const auto since = window.now() - from_seconds(t.slow_seconds);
  const auto refilled = std::ranges::count_if(course.steps, [&](const QueueStep& step) {
    return step.to > since && step.full > 0 && !step.pinned();
  });
  if (course.pinned_for() < from_seconds(t.stall_seconds)) {
    constexpr int kAgainAndAgain = 3;
    return refilled >= kAgainAndAgain;
  }
  const auto accepted = accepts(window, *course.listener, *course.present(course.full_runs));
  if (!accepted) return tl::unexpected<Error>(accepting_not_known());
  return *accepted;
}

// How long the first in the queue has waited, when that is long although connections are taken from it; one
// that recovers from a standstill is given as long. Empty: it is not, or no dump tells.
std::optional<std::chrono::duration<double>> slow_to_be_taken(const Window& window, const QueueCourse& course,
                                                              const Thresholds& t) {
  const auto long_since = from_seconds(t.slow_seconds);
  if (course.still_for() >= long_since || course.served_for(long_since) < long_since) return std::nullopt;
  // Somebody else may be first by now: an old dump says nothing about the present.
  constexpr std::chrono::seconds kPresent{8};
  const auto waits = first_waited(window, *course.listener,
                                  window.now() - std::min<TimePoint::duration>(kPresent, course.stood_for()));
  if (!waits || *waits < long_since) return std::nullopt;
  // Nothing was taken since the first one came: that is no slow server, it is one that has stopped.
  constexpr std::chrono::seconds kApart{2};  // the first look that finds it, and it
  if (course.still_for() + kApart >= *waits) return std::nullopt;
  return waits;
}

Verdict app_slow(const Window& window, const Thresholds& t) {
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    const auto stood = course.stood_for();
    if (stood < from_seconds(t.slow_seconds)) return kNothing;
    if (owner_was_at_fd_limit(window.last(kLately), *course.listener)) return kNothing;
    const auto waits = slow_to_be_taken(window, course, t);
    if (!waits) {
      const auto full = stays_full(window, course, t);
      if (!full) return tl::unexpected<Error>(full.error());
      if (!*full) return kNothing;
    }
    auto facts = facts_about(window, course);
    if (most_are_turned_away(window, course, t)) facts.severity = Severity::critical;
    facts.values["stood"] = lasted_text(*course.listener, stood);
    if (waits) add_first_wait(facts, *waits);
    add_doing(facts, window, *course.listener);
    return facts;
  });
}

Verdict backlog_small(const Window& window, const Thresholds& t) {
  const auto recent = window.last(kBurstWindow);
  const auto overflows = recent.increase(&TcpCounters::listen_overflows);
  if (!overflows) return Verdict::unknown(overflows.error());
  if (*overflows == 0) return Verdict::clear();
  const auto since = recent.snapshot(0).at;
  const auto stall = from_seconds(t.stall_seconds);
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    // Until it is emptied it may still turn out to be a stall, or too little capacity.
    if (!course.emptied_since_overflow()) return kNothing;
    const auto burst = course.overflows_in_bursts(since, stall, from_seconds(t.slow_seconds));
    if (burst == 0 || owner_was_at_fd_limit(window, *course.listener)) return kNothing;
    auto facts = facts_about(recent, course);
    facts.values["overflows"] = std::to_string(burst);
    facts.values["window"] = duration_text(recent.span());
    return facts;
  });
}

// How long the member's queue was full at every snapshot until now. `any`: how long every look found one of
// the group full; before the first of those snapshots that was this one.
milliseconds pinned_member(const Window& window, const Endpoint& endpoint, std::uint64_t cookie,
                           milliseconds any) {
  auto since = window.now(), before = since;
  for (std::size_t i = window.size(); i-- > 0;) {
    const auto* listeners = window.view(i).listeners.get();
    const auto* listener = listeners == nullptr ? nullptr : find_listener(*listeners, endpoint);
    before = window.snapshot(i).at;
    if (listener == nullptr) break;
    const auto member = std::ranges::find(listener->sockets, cookie, &ListenerSocket::cookie);
    if (member == listener->sockets.end() || !is_full(*member)) break;
    since = before;
  }
  return std::chrono::round<milliseconds>(window.now() - std::clamp(window.now() - any, before, since));
}

Verdict one_listener_stuck(const Window& window, const Thresholds& t) {
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    const auto& listener = *course.listener;
    const auto full = std::ranges::count_if(listener.sockets, is_full);
    const auto members = static_cast<std::ptrdiff_t>(listener.sockets.size());
    if (members < 2 || full == 0 || full == members) return kNothing;
    const auto& stuck = judged(listener);
    const auto pinned = pinned_member(window, listener.endpoint, stuck.cookie, course.pinned_for());
    const bool turned_away = course.overflows(window.snapshot(0).at) > 0;
    if (pinned < from_seconds(turned_away ? t.stall_seconds : t.quiet_stall_seconds)) return kNothing;
    // Where every worker holds every member, as nginx's do, it shows in what it does.
    const auto* owner = worker_of(window.newest(), listener, stuck.inode);
    if (owner == nullptr && full == 1) owner = odd_worker(window, listener);
    const auto stands = owner != nullptr && is_stopped(*owner)
                            ? std::optional(true)
                            : stands_beside_others(window, listener, pinned);
    if (!stands) return tl::unexpected<Error>(accepting_not_known());
    if (!*stands) return kNothing;
    auto facts = facts_about(window, course);
    if (owner != nullptr) {
      set_owner(facts.subject, owner);
      add_doing(facts, *owner);
    } else
      facts.subject.pid.reset();
    facts.values["stuck"] = std::to_string(full);
    facts.values["members"] = std::to_string(members);
    facts.values["pinned"] = lasted_text(listener, pinned);
    add_reading(facts, "listeners of the group", members, "sockets");
    add_reading(facts, "of them with a full queue", full, "sockets");
    return facts;
  });
}

// The queue is judged by what happened lately, the course of the descriptors is longer.
constexpr std::chrono::seconds kBlockedWindow{30};

Verdict fd_limit_accept_blocked(const Window& whole, const Thresholds& t) {
  const auto window = whole.last(kBlockedWindow);
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    const auto& listener = *course.listener;
    if (course.stood_for() < from_seconds(t.stand_seconds)) return kNothing;
    const auto* owner = owner_at_fd_limit(window, listener);
    if (owner != nullptr && !course.grows()) return kNothing;  // somebody accepts
    if (owner == nullptr) {
      if (const auto known = owners_known(window, listener); !known)
        return tl::unexpected<Error>(known.error());
      return kNothing;
    }
    auto facts = facts_about(window, course);
    set_owner(facts.subject, owner);
    facts.values["window"] = duration_text(window.span());
    add_descriptor_facts(facts, whole, *owner);
    return facts;
  });
}

constexpr Rule kRules[] = {
    {.info = kFdLimitAcceptBlocked, .lookback = History::kSpan, .evaluate = fd_limit_accept_blocked},
    {.info = kOneListenerStuck, .evaluate = one_listener_stuck},
    {.info = kAppStalled, .evaluate = app_stalled},
    {.info = kWaiting, .evaluate = accept_queue_waiting},
    {.info = kOwnLimitReached, .evaluate = own_limit_reached},
    {.info = kAppSlow, .critical_after = std::chrono::seconds(60), .evaluate = app_slow},
    // Longer than it counts, so that a stall is seen whose clients still try again.
    {.info = kBacklogSmall,
     .lookback = 4 * kBurstWindow,
     .critical_after = std::chrono::seconds(120),
     .evaluate = backlog_small},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> accept_queue_rules() { return kRules; }

}  // namespace tcpdiag
