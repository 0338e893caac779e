// SPDX-License-Identifier: Apache-2.0
// Requests that have arrived and that the program does not read: it has accepted their connections, and all
// that could serve them is busy or waits.
#include <algorithm>
#include <array>

#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/flat_upstream.h"
#include "diagnosis/listener_workers.h"
#include "diagnosis/owner_values.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

using std::chrono::seconds;

// After kLong there is a dump that can tell within so long.
constexpr seconds kNextDump{6};

bool are_many(std::uint64_t unread, std::uint64_t accepted, const Thresholds& t) {
  return unread >= t.unread_min &&
         static_cast<double>(unread) >= t.unread_share * static_cast<double>(accepted);
}

std::uint64_t not_read_on(const Connections& connections, std::uint16_t port) {
  const auto found = std::ranges::find(connections.unread, port, &UnreadConnections::port);
  return found == connections.unread.end() ? 0 : found->not_read.value_or(0);
}

// Whether they become more: in several steps, since it was first seen within the window.
bool grows(const Window& window, std::uint16_t port, const Thresholds& t) {
  std::uint64_t first = 0, before = 0;
  unsigned rises = 0;
  for (const auto& reading : window.readings(&NetnsView::connections)) {
    const auto now = not_read_on(*reading.value, port);
    if (first == 0) first = now;
    if (now + now / 20 + 1 < before) rises = 0;  // some have been read
    rises += first != 0 && before != 0 && now > before ? 1 : 0;
    before = now;
  }
  return rises >= 2 && before >= first + t.unread_min;
}

void add_upstream(Facts& facts, const Window& window, const Process& owner) {
  const auto upstream = flat_upstream(window, owner);
  if (!upstream) return;
  const auto name = to_string(destination_subject(upstream->destination));
  add_reading(facts, "connections to " + name + ", unchanged", "upstream_connections",
              upstream->destination.local_ports, "connections");
  facts.values["upstream"] = name;
}

// What is known of the processes that should read.
void add_owner(Facts& facts, const Window& window, std::uint16_t port) {
  const auto listeners = window.latest(&NetnsView::listeners);
  const auto* processes = window.host().processes.get();
  if (!listeners || processes == nullptr || !facts.subject.pid) return;
  for (const auto& listener : (*listeners)->listeners) {
    if (listener.endpoint.port != port) continue;
    add_doing(facts, window, listener);
    const auto owners = owners_of(window, listener);
    const auto owner = std::ranges::find(owners, *facts.subject.pid, &Process::pid);
    if (owner != owners.end()) add_upstream(facts, window, **owner);
    return;
  }
}

Facts facts_about(const Window& window, const UnreadConnections& unread, const Thresholds& t) {
  Facts facts{.subject = port_subject(window, unread.port)};
  add_reading(facts, "accepted connections with data unread for 10 s or longer", "not_read",
              static_cast<double>(*unread.not_read), "connections");
  add_reading(facts, "accepted connections", "accepted", unread.accepted, "connections");
  if (unread.longest) {
    facts.evidence.push_back(
        {"data unread for, at most", static_cast<double>(unread.longest->count()), "seconds", {}});
    facts.values["longest"] = duration_text(*unread.longest);
  }
  add_owner(facts, window, unread.port);
  if (!grows(window, unread.port, t)) return facts;
  facts.severity = Severity::critical;
  facts.values["more"] = "";
  return facts;
}

// Whether there were many with unread data from the first look on, and it was not long ago.
bool is_too_early(const Window& window, const PortConnections& now, const Thresholds& t) {
  const auto readings = window.readings(&NetnsView::connections);
  if (!are_many(now.unread, now.accepted, t)) return false;
  if (window.now() - readings.front().at >= UnreadConnections::kLong + kNextDump) return false;
  const auto held = held_for(readings, [&](const Connections& connections) {
    const auto* row = find_server_port(connections, now.port);
    return row != nullptr && are_many(row->unread, row->accepted, t);
  });
  return held && *held == readings.back().at - readings.front().at;
}

std::string connections_of(std::uint64_t count, std::uint16_t port) {
  return std::to_string(count) + " connections of port " + std::to_string(port);
}

// Why nothing can be said about some of them.
std::optional<Error> unseen(const Window& window, const Connections& connections, const Thresholds& t) {
  for (const auto& each : connections.unread)
    if (!each.not_read && are_many(each.standing, each.accepted, t))
      return Error{Errc::missing,
                   "connections: when something came last to " + connections_of(each.standing, each.port) +
                       " is not known",
                   kCollectorOf<Connections>};
  if (connections.unread_cut != 0)
    return Error{Errc::too_large,
                 "connections: " + std::to_string(connections.unread_cut) +
                     " connections with unread data are not followed, there are too many",
                 kCollectorOf<Connections>};
  for (const auto& row : connections.server)
    if (not_read_on(connections, row.port) == 0 && is_too_early(window, row, t))
      return Error{Errc::too_early,
                   "connections: " + connections_of(row.unread, row.port) +
                       " have unread data; for how long was not watched yet",
                   kCollectorOf<Connections>};
  return std::nullopt;
}

Verdict requests_not_read(const Window& window, const Thresholds& t) {
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  std::vector<Facts> found;
  for (const auto& each : (*connections)->unread)
    if (each.not_read && are_many(*each.not_read, each.accepted, t))
      found.push_back(facts_about(window, each, t));
  return Verdict::found(std::move(found)).in_part(unseen(window, **connections, t));
}

constexpr auto kAdvice = std::to_array<AdviceText>({
    {"Let it go on: pid {stopped_pid} is stopped, and nothing else is wrong with it.",
     "kill -CONT {stopped_pid}", "It reads again at once.",
     "If a debugger holds it (TracerPid in /proc/{stopped_pid}/status), it is the debugger that has to let "
     "go."},
    {"Look at {upstream}{?upstream} first: as many connections lead to it as before while the clients became "
     "more, so it is most likely what the requests wait for.",
     "ss -tno dst {upstream}", "All of them busy: the service there is slow, or the pool is too small.", ""},
    {"Take a stack trace of {worker}: it shows what its threads wait for.",
     "gdb -p {worker_pid} -batch -ex 'thread apply all bt'",
     "All workers or threads in the same call: that is the pool, lock or service that is used up.",
     "Stops the process for a second or two."},
    {"See which clients wait.", "ss -tno state established '( sport = :{port} )'",
     "Recv-Q is what has arrived and was not read.", ""},
    {"Give what the requests wait for a timeout, or more of it: more workers or threads, a larger pool of "
     "connections to the database.",
     "", "Requests are read again while some of them wait.",
     "What stands behind it gets as much more to do; if it is slow already, it becomes slower."},
    {"Restart it if clients cannot wait{?owner}.", kRestartCommand, "Its workers are free again.",
     "All its connections are cut; without the cause it happens again."},
});
constexpr std::string_view kNot[] = {
    "A larger backlog or net.core.somaxconn: these connections have been accepted already.",
    "Larger net.ipv4.tcp_rmem or net.core.rmem_max: the requests have arrived, and more of them would wait.",
    "More descriptors (LimitNOFILE=): more clients are let in to wait."};
constexpr std::string_view kConsequences[] = {
    "clients give up, and their connections stay in CLOSE_WAIT until the program closes them"};
constexpr std::string_view kExplains[] = {"close-wait-leak"};

// clang-format off
const Rule kRules[] = {
    {.info = {.id = "requests-not-read", .family = "Requests", .severity = Severity::warning,
              .title = "Accepted connections are not read",
              .true_when = "Many of the connections that a program has accepted on a port, a quarter or more, have data that it has not read for 10 s or longer: "
                           "at each dump of the socket table as many bytes as before, and nothing has come meanwhile. Critical when they become more. One that "
                           "reads slowly, a busy one, an upload and a few paused clients are none of that.",
              .clients_see = "Connecting works and the request is sent, but no answer comes until their timeout.",
              .summary = "{not_read} of {accepted} connections that [{owner}|a program] has accepted on {listener} have data that it does not read[, the first for "
                         "{longest}][, and they become more{?more}][; {doing}]. Most likely all its workers or threads are busy, or wait for a pool that is used up"
                         "[: its {upstream_connections} connections to {upstream} have not become more with its clients].",
              .advice = kAdvice, .not_helping = kNot, .consequences = kConsequences, .explains = kExplains,
              .reads = "sock_diag (unread bytes of each connection; tcp_info of those of a port where many stay), /proc/PID"},
     .lookback = seconds(60), .evaluate = requests_not_read},
};
// clang-format on

}  // namespace

std::span<const Rule> unread_rules() { return kRules; }

}  // namespace tcpdiag
