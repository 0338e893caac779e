// SPDX-License-Identifier: Apache-2.0
// Requests that have arrived and that the program does not read: it has accepted their connections, and all
// that could serve them is busy or waits.
#include <algorithm>
#include <array>

#include "core/saturating.h"
#include "diagnosis/course.h"
#include "diagnosis/evidence.h"
#include "diagnosis/flat_upstream.h"
#include "diagnosis/listener_workers.h"
#include "diagnosis/own_addresses.h"
#include "diagnosis/owner_values.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

using std::chrono::seconds;

// After kLong there is a dump that can tell within so long.
constexpr seconds kNextDump{6};

// The connections to one listener, which may be on every address; without one those to an address and port.
struct Unread {
  const Listener* listener = nullptr;
  IpAddress address;
  std::uint16_t port = 0;
  std::uint64_t standing = 0, not_read = 0, accepted = 0, served = 0;
  bool told = true;
  std::optional<seconds> longest;

  [[nodiscard]] bool same_place(const Unread& other) const {
    return listener != nullptr ? listener == other.listener : address == other.address && port == other.port;
  }
  // Connections on which nothing goes on say nothing about the server.
  [[nodiscard]] bool are_many(const Thresholds& t) const {
    const auto busy = static_cast<double>(saturating_add(not_read, served));
    return not_read >= t.unread_min && static_cast<double>(not_read) >= t.unread_share * busy;
  }
};

std::vector<Unread> by_listener(const Connections& connections, const Listeners* listeners) {
  std::vector<Unread> all;
  for (const auto& each : connections.unread) {
    const Destination here{.source = {}, .destination = each.address, .port = each.port};
    const Unread place{.listener = listeners == nullptr ? nullptr : listener_for(*listeners, here),
                       .address = each.address,
                       .port = each.port,
                       .longest = {}};
    const auto known = std::ranges::find_if(all, [&](const Unread& one) { return place.same_place(one); });
    auto& one = known != all.end() ? *known : all.emplace_back(place);
    one.standing = saturating_add<std::uint64_t>(one.standing, each.standing);
    one.not_read = saturating_add(one.not_read, each.not_read.value_or(0));
    one.accepted = saturating_add<std::uint64_t>(one.accepted, each.accepted);
    one.served = saturating_add<std::uint64_t>(one.served, each.served);
    one.told = one.told && each.not_read;
    if (each.longest) one.longest = std::max(one.longest.value_or(seconds{}), *each.longest);
  }
  return all;
}

std::uint64_t not_read_then(const Connections& then, const Listeners* listeners, const Unread& unread) {
  for (const auto& one : by_listener(then, listeners))
    if (unread.same_place(one)) return one.not_read;
  return 0;
}

// Whether they become more: in several steps, since it was first seen within the window.
bool grows(const Window& window, const Listeners* listeners, const Unread& unread, const Thresholds& t) {
  std::uint64_t first = 0, before = 0;
  unsigned rises = 0;
  for (const auto& reading : window.readings(&NetnsView::connections)) {
    const auto now = not_read_then(*reading.value, listeners, unread);
    if (first == 0) first = now;
    if (now + now / 20 + 1 < before) rises = 0;  // some have been read
    rises += first != 0 && before != 0 && now > before ? 1 : 0;
    before = now;
  }
  return rises >= 2 && before >= saturating_add(first, t.unread_min);
}

// What is known of the processes that should read.
void add_owner(Facts& facts, const Window& window, const Listener& listener) {
  add_doing(facts, window, listener);
  if (!facts.subject.pid) return;
  const auto owners = owners_of(window, listener);
  const auto owner = std::ranges::find(owners, *facts.subject.pid, &Process::pid);
  if (owner != owners.end()) add_upstream(facts, window, **owner);
}

Subject subject_of(const Window& window, const Unread& unread) {
  if (unread.listener != nullptr) return listener_subject(window, *unread.listener);
  return {.kind = SubjectKind::listener, .address = to_string(unread.address), .port = unread.port};
}

Facts facts_about(const Window& window, const Listeners* listeners, const Unread& unread,
                  const Thresholds& t) {
  Facts facts{.subject = subject_of(window, unread)};
  add_reading(facts, "accepted connections with data unread for 10 s or longer", "not_read", unread.not_read,
              "connections");
  add_reading(facts, "accepted connections", "accepted", unread.accepted, "connections");
  add_reading(facts, "of them read or answered meanwhile", unread.served, "connections");
  if (unread.longest) {
    add_reading(facts, "data unread for at least", unread.longest->count(), "seconds");
    facts.values["longest"] = duration_text(*unread.longest);
  }
  if (unread.listener != nullptr) add_owner(facts, window, *unread.listener);
  if (!grows(window, listeners, unread, t)) return facts;
  facts.severity = Severity::critical;
  facts.values.flag("more");
  return facts;
}

bool look_many(const PortConnections& row, const Thresholds& t) {
  return row.unread >= t.unread_min &&
         static_cast<double>(row.unread) >= t.unread_share * static_cast<double>(row.accepted);
}

// Whether there were many with unread data from the first look on, and it was not long ago.
bool is_too_early(const Window& window, const PortConnections& now, const Thresholds& t) {
  const auto readings = window.readings(&NetnsView::connections);
  if (!look_many(now, t)) return false;
  if (window.now() - readings.front().at >= UnreadConnections::kLong + kNextDump) return false;
  const auto held = held_for(readings, [&](const Connections& connections) {
    const auto* row = find_server_port(connections, now.port);
    return row != nullptr && look_many(*row, t);
  });
  return held && *held == readings.back().at - readings.front().at;
}

std::string connections_of(std::uint64_t count, std::uint16_t port) {
  return std::to_string(count) + " connections of port " + std::to_string(port);
}

// Why nothing can be said about some of them.
std::optional<Error> unseen(const Window& window, const Connections& connections,
                            const std::vector<Unread>& all, const Thresholds& t) {
  for (const auto& each : all)
    if (!each.told && each.standing >= t.unread_min)
      return Error{Errc::missing,
                   "connections: when data last arrived on " + connections_of(each.standing, each.port) +
                       " is not known",
                   collector_of(Type<Connections>{})};
  if (connections.unread_cut != 0)
    return Error{Errc::too_large,
                 "connections: " + std::to_string(connections.unread_cut) +
                     " connections with unread data are not followed: there are too many",
                 collector_of(Type<Connections>{})};
  for (const auto& row : connections.server)
    if (std::ranges::find(connections.unread, row.port, &UnreadConnections::port) ==
            connections.unread.end() &&
        is_too_early(window, row, t))
      return Error{Errc::too_early,
                   "connections: " + connections_of(row.unread, row.port) +
                       " have unread data; it is too early to say for how long",
                   collector_of(Type<Connections>{})};
  return std::nullopt;
}

// A proxy reads when the service behind it has answered: that one is in syn-sent-unanswered.
bool waits_for_container(const Window& window, const Connections& connections, const Subject& subject) {
  const auto* port = proxied_port(window, subject);
  return port != nullptr && std::ranges::any_of(connections.unanswered, [&](const Destination& each) {
           return each.port == port->container_port &&
                  each.destination.unmapped() == port->container_address.unmapped();
         });
}

Verdict requests_not_read(const Window& window, const Thresholds& t) {
  const auto connections = window.latest(&NetnsView::connections);
  if (!connections) return Verdict::unknown(connections.error());
  const auto known = window.latest(&NetnsView::listeners);
  const auto* listeners = known ? *known : nullptr;
  const auto all = by_listener(**connections, listeners);
  std::vector<Facts> found;
  for (const auto& each : all)
    if (each.are_many(t) && !waits_for_container(window, **connections, subject_of(window, each)))
      found.push_back(facts_about(window, listeners, each, t));
  return Verdict::found(std::move(found)).in_part(unseen(window, **connections, all, t));
}

constexpr auto kAdvice = std::to_array<AdviceText>({
    {"Resume it: pid {stopped_pid} is stopped, and nothing else is wrong with it.",
     "kill -CONT {stopped_pid}", "It reads again at once.",
     "If a debugger is attached to it (TracerPid in /proc/{stopped_pid}/status), detach the debugger."},
    {"Take a stack trace of {worker}: it shows what its threads are waiting for.",
     "gdb -p {worker_pid} -batch -ex 'thread apply all bt'",
     "If all workers or threads are in the same call, it shows the pool, lock or service that is used up.",
     "Stops the process for a second or two."},
    {"Look at {upstream}{?upstream}, if it is a service that this program uses: this host has no more "
     "connections to it than before, although the number of clients grew.",
     "ss -tnpo dst {upstream}",
     "If all of them are busy and belong to this program, the service there is slow or the pool is too "
     "small.",
     ""},
    {"See which clients are waiting.", "ss -tno state established '( sport = :{port} )'",
     "Recv-Q is what has arrived and has not been read.", ""},
    {"Put a timeout on what the requests wait for, or provide more of it: more workers or threads, a larger "
     "pool of database connections.",
     "", "New requests are read while others wait.",
     "Whatever is behind it gets that much more work; if it is already slow, it gets slower."},
    {"Restart it if clients cannot wait{?owner}.", kRestartCommand, "Its workers are free again.",
     "All its connections are closed; unless the cause is fixed, it happens again."},
});
constexpr std::string_view kNot[] = {
    "A larger backlog or net.core.somaxconn: these connections have been accepted already.",
    "Larger net.ipv4.tcp_rmem or net.core.rmem_max: the requests have arrived, and more of them would wait.",
    "More descriptors (LimitNOFILE=): more clients are let in to wait."};
constexpr std::string_view kConsequences[] = {
    "clients give up, and their connections stay in CLOSE_WAIT until the program closes them"};
constexpr std::string_view kExplains[] = {"close-wait-leak"};

constexpr Rule kRules[] = {
    {.info = {.id = "requests-not-read",
              .family = "Requests",
              .severity = Severity::warning,
              .title = "Accepted connections are not read",
              .true_when =
                  "Many of the connections that a program has accepted have data that it has not "
                  "read for 10 s or longer, and it has sent nothing on them for 15 s: at least a "
                  "third as many as were read or answered in that time. Idle connections do not "
                  "count. Critical while their number grows. A program that is busy or reads "
                  "slowly, an upload, or a few paused clients do not trigger it, nor does a docker-proxy "
                  "whose container does not answer.",
              .clients_see =
                  "Connecting works and the request is sent, but no answer comes until their timeout.",
              .summary =
                  "{not_read} of {accepted} connections that [{owner}|a program] has accepted on {listener} "
                  "have data that it does not read[, the first for {longest}][, and their number is "
                  "growing{?more}][; {doing}].[{?stopped_pid}| Its workers or threads are all busy or "
                  "waiting for something, or it holds its clients back on purpose.][ This host's connections "
                  "to {upstream} stayed at {upstream_connections} while the number of clients grew: it may "
                  "be waiting for these.]",
              .advice = kAdvice,
              .not_helping = kNot,
              .consequences = kConsequences,
              .explains = kExplains,
              .reads = "sock_diag (unread bytes of each connection; tcp_info of those of a port where many "
                       "stay), /proc/PID"},
     .lookback = seconds(60),
     .evaluate = requests_not_read},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> unread_rules() { return kRules; }

}  // namespace tcpdiag
