// SPDX-License-Identifier: Apache-2.0
// The queue of connections that wait for accept(): why it is full.
#include "diagnosis/accept_queue.h"

#include <algorithm>
#include <bit>
#include <map>
#include <span>

#include "core/owners.h"
#include "diagnosis/counters.h"
#include "diagnosis/descriptor_facts.h"
#include "diagnosis/rules/accept_queue_words.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kBurstWindow{30};
constexpr std::chrono::seconds kLately{10};

milliseconds from_seconds(double seconds) {
  return milliseconds(static_cast<milliseconds::rep>(seconds * 1000));
}

// What has lasted since the window's beginning may have begun before it.
std::string lasted_text(const Window& window, milliseconds time) {
  const bool since_begin = window.now() - time <= window.snapshot(0).at + std::chrono::seconds(1);
  return (since_begin ? "over " : "") + duration_text(std::chrono::floor<std::chrono::seconds>(time));
}

// A backlog that is worth the restart: some times the present one, and a power of two as servers have it.
std::uint64_t larger_backlog(std::uint64_t limit) {
  return std::bit_ceil(std::clamp<std::uint64_t>(limit * 4, 1024, 65536));
}

const ListenerSocket& judged(const Listener& listener) { return listener.fullest(); }

constexpr std::uint64_t kKernelsSomaxconn = 4096;  // the kernel's own default since 5.4

// The queue's own limit, and which of listen() and somaxconn set it.
void add_limit(Facts& facts, const Window& window, std::uint32_t limit) {
  facts.values["limit"] = number_text(limit);
  const auto wanted = larger_backlog(limit);
  if (wanted > limit) facts.values["new_backlog"] = std::to_string(wanted);
  facts.bites = Bites{.limit = "listen backlog", .value = static_cast<double>(limit)};
  facts.values["raise_backlog"] = "";
  const auto somaxconn = window.setting("net.core.somaxconn");
  if (!somaxconn) return;
  facts.bites->ceiling = "net.core.somaxconn";
  facts.bites->ceiling_value = static_cast<double>(*somaxconn);
  facts.values["somaxconn"] = std::to_string(*somaxconn);
  if (*somaxconn == limit) {
    facts.values["clamped"] = "";
    facts.bites = Bites{.limit = "net.core.somaxconn", .value = static_cast<double>(limit)};
    facts.values.erase("raise_backlog");
  } else {
    facts.values["own_limit"] = "";
  }
  if (wanted > limit && *somaxconn < static_cast<std::int64_t>(wanted))
    facts.values["new_somaxconn"] = std::to_string(std::max(wanted, kKernelsSomaxconn));
}

void add_evidence(Facts& facts, const Window& window, const QueueCourse& course) {
  const auto& member = judged(*course.listener);
  facts.evidence.push_back({"accept queue", static_cast<double>(member.queue_length), "connections", {}});
  facts.evidence.push_back(
      {"accept queue limit", static_cast<double>(member.queue_limit), "connections", {}});
  facts.values["length"] = number_text(member.queue_length);
  if (const auto overflows = window.increase(kListenOverflows))
    facts.evidence.push_back(
        {std::string(kListenOverflows.name), static_cast<double>(*overflows), "events", window.span()});
  const auto turned_away = course.overflows(window.snapshot(0).at);
  facts.evidence.push_back(
      {"of them at this listener", static_cast<double>(turned_away), "events", window.span()});
  facts.values["overflows"] = std::to_string(turned_away);
  if (turned_away > 0) facts.values["turned_away"] = std::to_string(turned_away);
}

Facts facts_about(const Window& window, const QueueCourse& course) {
  Facts facts{.subject = listener_subject(window, *course.listener)};
  add_limit(facts, window, judged(*course.listener).queue_limit);
  add_evidence(facts, window, course);
  if (const auto pinned = course.pinned_for(); pinned.count() > 0) {
    facts.values["pinned"] = lasted_text(window, pinned);
    facts.evidence.push_back(
        {"accept queue full without a break", std::chrono::duration<double>(pinned).count(), "seconds", {}});
  }
  return facts;
}

// Of a group that shares a port, whether every member's queue is full; a lone listener is its own group.
bool all_full(const Listener& listener) { return std::ranges::all_of(listener.sockets, is_full); }

std::vector<const Process*> owners_of(const Window& window, const Listener& listener) {
  const auto* processes = window.host().processes.get();
  return processes == nullptr ? std::vector<const Process*>() : ListenerOwners(*processes).all(listener);
}

bool at_fd_limit(const Process& process) {
  return process.open_fds && process.soft_limit && *process.open_fds >= *process.soft_limit;
}

const Process* owner_at_fd_limit(const Window& window, const Listener& listener) {
  const auto owners = owners_of(window, listener);
  const auto found = std::ranges::find_if(owners, [](const Process* owner) { return at_fd_limit(*owner); });
  return found == owners.end() ? nullptr : *found;
}

// What a process's main thread does, in words, of one or of several; empty: not known.
std::string doing(const Process& process, bool several = false) {
  const std::string where =
      process.wait_channel.empty() ? "" : " in the kernel function " + process.wait_channel;
  switch (process.state) {
    case 'T':
    case 't': return std::string(several ? "are" : "is") + " stopped (by SIGSTOP or a debugger)";
    case 'Z':
      return several ? "have exited and only their entries are left"
                     : "has exited and only its entry is left";
    case 'D': return std::string(several ? "wait" : "waits") + " for a disk or a network file system" + where;
    case 'R': return several ? "are running on CPUs" : "is running on a CPU";
    case 'S': return (several ? "sleep" : "sleeps") + where;
    default: return {};
  }
}

bool is_stopped(const Process& process) { return process.state == 'T' || process.state == 't'; }

void add_stopped(Facts& facts, const Process& process) {
  if (is_stopped(process)) facts.values["stopped_pid"] = std::to_string(process.pid);
}

// Where a server has workers, it is they that should accept: what most of them do, and which one to look at.
void add_workers_doing(Facts& facts, std::span<const Process* const> workers) {
  std::map<std::string, std::vector<const Process*>> alike;
  for (const auto* worker : workers)
    if (const auto text = doing(*worker, workers.size() > 1); !text.empty()) alike[text].push_back(worker);
  const auto most =
      std::ranges::max_element(alike, {}, [](const auto& group) { return group.second.size(); });
  if (most == alike.end()) return;
  const auto& [text, those] = *most;
  const auto pid = std::to_string(those.front()->pid);
  add_stopped(facts, *those.front());
  const auto all = std::to_string(workers.size());
  facts.values["pid"] = pid;
  if (workers.size() == 1)
    facts.values["doing"] = "its worker, pid " + pid + ", " + text;
  else if (those.size() == workers.size())
    facts.values["doing"] = "its " + all + " workers all " + text;
  else if (those.size() == 1)
    facts.values["doing"] = "of its " + all + " workers pid " + pid + " " + doing(*those.front());
  else
    facts.values["doing"] =
        "of its " + all + " workers " + std::to_string(those.size()) + ", like pid " + pid + ", " + text;
}

void add_doing(Facts& facts, const Window& window, const Listener& listener) {
  auto owners = owners_of(window, listener);
  if (owners.size() > 1)  // systemd, which opened the socket for the server
    std::erase_if(owners, [](const Process* owner) { return owner->comm == "systemd"; });
  if (owners.empty()) return;
  if (owners.size() > 1)
    add_workers_doing(facts, std::span(owners).subspan(1));
  else if (const auto text = doing(*owners.front()); !text.empty())
    facts.values["doing"] = "it " + text;
  if (owners.size() == 1) add_stopped(facts, *owners.front());
}

// Whether an owner was seen out of descriptors within the window: what was turned away is that one's doing.
bool owner_was_at_fd_limit(const Window& window, const Listener& listener) {
  return std::ranges::any_of(window.readings(&Snapshot::processes), [&](const Dated<Processes>& reading) {
    return std::ranges::any_of(ListenerOwners(*reading.value).all(listener),
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

// Whether the queue is pinned long enough to be called a stall.
bool stalls(const Window& window, const QueueCourse& course, const Thresholds& t) {
  const auto pinned = course.pinned_for();
  return pinned >=
         from_seconds(course.overflows(window.snapshot(0).at) > 0 ? t.stall_seconds : t.quiet_stall_seconds);
}

// Whether processes were looked at since the queue is full: before that, their descriptors say nothing about
// it. After some time without a look it is not waited for any more.
bool processes_looked_at(const Window& window, milliseconds pinned) {
  constexpr std::chrono::seconds kLongEnough{10};
  if (!window.host().processes.known() || pinned > kLongEnough) return true;
  return window.host().processes.read_at >= window.now() - pinned;
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

Verdict app_stalled(const Window& window, const Thresholds& t) {
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    const auto& listener = *course.listener;
    if (!stalls(window, course, t) || !all_full(listener)) return kNothing;
    // What was taken from the full queue a moment ago may well go on, slowly.
    if (course.was_full_before() && course.pinned_for() < from_seconds(t.slow_seconds)) return kNothing;
    if (!processes_looked_at(window, course.pinned_for())) return kNothing;
    if (owner_was_at_fd_limit(window.last(kLately), listener)) return kNothing;
    if (const auto known = owners_known(window, listener); !known)
      return tl::unexpected<Error>(known.error());
    const auto accepted =
        all_stopped(window, listener) ? std::optional(false) : accepts(window, listener, course.pinned_for());
    if (!accepted)
      return unexpected(Errc::not_read, "connections: whether anything is accepted is not known yet");
    if (*accepted) return kNothing;
    auto facts = facts_about(window, course);
    add_doing(facts, window, listener);
    return facts;
  });
}

Verdict app_slow(const Window& window, const Thresholds& t) {
  return for_each_queue(window, [&](const QueueCourse& course) -> Result<std::optional<Facts>> {
    const auto stood = course.stood_for();
    if (stood < from_seconds(t.slow_seconds) || course.overflows(window.now() - stood) == 0) return kNothing;
    if (owner_was_at_fd_limit(window.last(kLately), *course.listener)) return kNothing;
    // A queue that is full again and again is one out of which connections are taken. One that was full all
    // the time and is so no more may just recover.
    const auto pinned = course.pinned_for();
    const auto since = window.now() - from_seconds(t.slow_seconds);
    const auto refilled = std::ranges::count_if(course.steps, [&](const QueueStep& step) {
      return step.to > since && step.full > 0 && !step.pinned();
    });
    constexpr int kAgainAndAgain = 3;
    if (pinned < from_seconds(t.stall_seconds) && refilled < kAgainAndAgain) return kNothing;

    const auto accepted =
        pinned < from_seconds(t.stall_seconds) ? true : accepts(window, *course.listener, pinned);
    if (!accepted)
      return unexpected(Errc::not_read, "connections: whether anything is accepted is not known yet");
    if (!*accepted) return kNothing;
    auto facts = facts_about(window, course);
    facts.values["stood"] = lasted_text(window, stood);
    return facts;
  });
}

Verdict backlog_small(const Window& window, const Thresholds& t) {
  const auto recent = window.last(kBurstWindow);
  const auto overflows = recent.increase(kListenOverflows);
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
    const auto* owner = worker_of(window.host(), listener, stuck.inode);
    const auto stands = owner != nullptr && is_stopped(*owner)
                            ? std::optional(true)
                            : stands_beside_others(window, listener, pinned);
    if (!stands)
      return unexpected(Errc::not_read, "connections: whether anything is accepted is not known yet");
    if (!*stands) return kNothing;
    auto facts = facts_about(window, course);
    if (owner != nullptr) {
      facts.values["worker_pid"] = std::to_string(owner->pid);
      set_owner(facts.subject, owner);
      if (const auto text = doing(*owner); !text.empty()) facts.values["doing"] = "it " + text;
      add_stopped(facts, *owner);
    } else
      facts.subject.pid.reset();
    facts.values["stuck"] = std::to_string(full);
    facts.values["members"] = std::to_string(members);
    facts.values["pinned"] = lasted_text(window, pinned);
    facts.evidence.push_back({"listeners of the group", static_cast<double>(members), "sockets", {}});
    facts.evidence.push_back({"of them with a full queue", static_cast<double>(full), "sockets", {}});
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

const Rule kRules[] = {
    {.info = kFdLimitAcceptBlocked, .lookback = History::kSpan, .evaluate = fd_limit_accept_blocked},
    {.info = kOneListenerStuck, .evaluate = one_listener_stuck},
    {.info = kAppStalled, .evaluate = app_stalled},
    {.info = kAppSlow, .critical_after = std::chrono::seconds(60), .evaluate = app_slow},
    // Longer than it counts, so that a stall at its beginning is seen as a whole.
    {.info = kBacklogSmall,
     .lookback = 2 * kBurstWindow,
     .critical_after = std::chrono::seconds(120),
     .evaluate = backlog_small},
};

}  // namespace

std::span<const Rule> accept_queue_rules() { return kRules; }

}  // namespace tcpdiag
