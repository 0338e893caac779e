// SPDX-License-Identifier: Apache-2.0
// Connections that the peer has closed and this end has not: because the program forgets to, or because it
// has never accepted them. And what is left of them when the kernel has ended them.
#include <algorithm>
#include <array>

#include "diagnosis/close_wait_course.h"
#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/rules/close_wait_leak.h"
#include "diagnosis/rules/close_wait_words.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/unseen_processes.h"

namespace tcpdiag {
namespace {

using namespace close_wait_words;
using std::chrono::seconds;

// Three dumps in a row.
constexpr seconds kLasts{6};

// CLOSE_WAIT that no process holds. Those that are held are listed, as far as there is room.
std::uint64_t unaccepted_close_wait(const Connections& connections, std::uint16_t port) {
  const auto* row = find_server_port(connections, port);
  if (row == nullptr) return 0;
  const auto held = static_cast<std::uint64_t>(
      std::ranges::count(connections.close_wait, CloseWaitService{true, port}, service_of));
  const auto all = std::uint64_t{row->count(TcpState::close_wait)};
  const auto known = held + connections.close_wait_cut;
  return std::min<std::uint64_t>(row->unaccepted, all > known ? all - known : 0);
}

// Of those that waited at the dump before, how many still do: a server that empties its queue now and then
// meets many that have closed meanwhile, as health checks do.
std::uint64_t staying(const std::vector<Dated<Connections>>& readings, const PortConnections& now) {
  if (readings.size() < 2 || !now.unaccepted_left) return now.unaccepted;
  const auto* then = find_server_port(*readings[readings.size() - 2].value, now.port);
  if (then == nullptr) return 0;
  return then->unaccepted - std::min<std::uint64_t>(then->unaccepted, *now.unaccepted_left);
}

// Whether the queue has stood for so long that a slow server, or one that stands still, would have been
// named: what gave up in it follows from that.
bool stands_longer_than_a_cause_takes(const Window& window, const Listeners& listeners, std::uint16_t port,
                                      const Thresholds& t) {
  const auto long_enough = std::chrono::duration<double>(t.slow_seconds) + seconds(1);
  return std::ranges::any_of(listeners.listeners, [&](const Listener& listener) {
    return listener.endpoint.port == port && listener.standing &&
           listener.standing->until == window.netns().listeners.read_at &&
           listener.standing->until - listener.standing->since >= long_enough;
  });
}

// The owner's main thread, in words for the summary.
void add_owner_state(Facts& facts, const Window& window) {
  const auto* processes = window.newest().processes.get();
  if (processes == nullptr || !facts.subject.pid) return;
  const auto owner = std::ranges::find(processes->processes, *facts.subject.pid, &Process::pid);
  if (owner == processes->processes.end()) return;
  if (owner->state == 'T' || owner->state == 't') facts.values["stopped"] = "stopped";
  if (!owner->wait_channel.empty()) facts.values["wait_channel"] = owner->wait_channel;
}

Verdict close_wait_unaccepted(const Window& window, const Thresholds& t) {
  const auto latest = window.latest(&NetnsView::connections);
  if (!latest) return Verdict::unknown(latest.error());
  const auto readings = window.readings(&NetnsView::connections);
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return Verdict::unknown(listeners.error());
  std::vector<Facts> found;
  for (const auto& row : (*latest)->server) {
    if (row.count(TcpState::close_wait) < t.unaccepted_close_wait_min) continue;
    // The queue goes with its listener, which may be later than the last dump.
    if (!stands_longer_than_a_cause_takes(window, **listeners, row.port, t) ||
        staying(readings, row) < t.unaccepted_close_wait_min)
      continue;
    const auto lasted = held_for(readings, [&](const Connections& then) {
      return unaccepted_close_wait(then, row.port) >= t.unaccepted_close_wait_min;
    });
    if (!lasted || *lasted < kLasts) continue;
    Facts facts{.subject = port_subject(window, row.port)};
    add_reading(facts, "un-accepted connections in CLOSE_WAIT (inode 0)", "gave_up",
                unaccepted_close_wait(**latest, row.port), "connections");
    add_reading(facts, "un-accepted connections", "waiting", row.unaccepted, "connections");
    add_owner_state(facts, window);
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found));
}

Verdict closed_socket_fd_leak(const Window& window, const Thresholds& t) {
  const auto processes = window.latest(&Snapshot::processes);
  if (!processes) return Verdict::unknown(processes.error());
  const auto& all = (*processes)->processes;
  const auto is_known = [](const Process& process) { return process.closed_sockets.has_value(); };
  const auto is_elsewhere = [](const Process& process) { return process.elsewhere; };
  if (!std::ranges::all_of(all, is_elsewhere) && std::ranges::none_of(all, is_known))
    return Verdict::unknown({Errc::not_read, "processes: the closed sockets of no process are known"});
  std::vector<Facts> found;
  for (const auto& process : all) {
    if (!process.closed_sockets || *process.closed_sockets < t.closed_sockets_min) continue;
    Facts facts{.subject = process_subject(process)};
    add_reading(facts, "closed sockets it holds", "closed", *process.closed_sockets, "sockets");
    if (process.open_fds) add_reading(facts, "open fds", "open", *process.open_fds, "descriptors");
    if (process.soft_limit) facts.values["limit"] = std::to_string(*process.soft_limit);
    if (process.fd_ratio() >= t.fd_near && 2 * *process.closed_sockets >= *process.open_fds)
      facts.explains = kFollowFromFullDescriptors;
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found)).in_part(unseen_closed_sockets(**processes, t.closed_sockets_min));
}

constexpr Rule kRules[] = {
    {.info =
         {.id = "close-wait-leak",
          .family = kFamily,
          .severity = Severity::warning,
          .title = "A program does not close its connections",
          .true_when =
              "Connections that a process holds and whose peer has closed stay in CLOSE_WAIT while this end "
              "sends nothing on them, and their number grows again and again: at three dumps of the socket "
              "table or more, over 20 s (60 s for a client), together with the open connections of the "
              "service, or for two minutes at a server. A single step is not growth: pools and slow programs "
              "cause such steps. Info when at least 100 stay for 20 s (60 s for a client) and it is unknown "
              "whether their number grows. Critical when they are half of the descriptors of a process that "
              "has used 80 % of its limit.",
          .clients_see = "Nothing yet, or a request that is never answered. When the descriptors run out, no "
                         "more clients are accepted.",
          .summary = "{holder} keeps {count} {count:connection|connections} [on its port {server_port}][to "
                     "port {client_port}] whose peers have closed, the oldest at least {age} ago: they stay "
                     "in CLOSE_WAIT until it closes them[. They take most of its {open} descriptors, and its "
                     "limit is {limit}].",
          .advice = kLeakAdvice,
          .not_helping = kLeakNot,
          .explains = kLeakExplains,
          .reads = "sock_diag; if they can be read /proc/PID/fd, /proc/PID/limits"},
     .lookback = History::kSpan,
     .evaluate = close_wait_leak},
    {.info = {.id = "close-wait-unaccepted",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "Clients gave up before they were accepted",
              .true_when =
                  "Over three dumps of the socket table, a service port has connections in CLOSE_WAIT that "
                  "no accept() has taken (inode 0), and its accept queue has not been empty for one second "
                  "more than {t.slow_seconds}, by when the cause would have been named.",
              .clients_see = "Connecting works, then no answer comes until their timeout.",
              .summary = "{gave_up} clients of {listener} gave up before they were accepted: they have "
                         "closed, and their connections wait in the accept queue in CLOSE_WAIT[; {owner} is "
                         "{stopped}][; {owner} sleeps in the kernel function {wait_channel}].",
              .advice = kUnacceptedAdvice,
              .not_helping = kUnacceptedNot,
              .reads = "sock_diag; if they can be read /proc/PID"},
     .lookback = seconds(30),
     .evaluate = close_wait_unaccepted},
    {.info = {.id = "closed-socket-fd-leak",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "A program keeps descriptors of connections that are over",
              .true_when = "At two looks some seconds apart, a process holds TCP sockets that the kernel's "
                           "socket table no longer shows.",
              .clients_see = "Nothing yet. When the descriptors run out, no more clients are accepted.",
              .summary = "{owner} holds {closed} TCP sockets that have no connection: the kernel has ended "
                         "it, by keep-alive or a reset, or there never was one, and the program does not "
                         "close() them[. It has {open} descriptors open][ and its limit is {limit}].",
              .advice = kClosedAdvice,
              .not_helping = kClosedNot,
              .reads = "/proc/PID/fd, sock_diag, /proc/net/sockstat"},
     .scope = RuleScope::machine,
     .evaluate = closed_socket_fd_leak},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> close_wait_rules() { return kRules; }

}  // namespace tcpdiag
