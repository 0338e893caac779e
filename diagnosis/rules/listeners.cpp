// SPDX-License-Identifier: Apache-2.0
// Listeners that came to be otherwise than they should, and listeners that went away.
#include <algorithm>
#include <array>
#include <set>

#include "diagnosis/counters.h"
#include "diagnosis/owner_values.h"
#include "diagnosis/rules/families.h"
#include "diagnosis/subjects.h"
#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

// Only a limit that was exactly net.core.somaxconn when the listener appeared can have been cut to it: any
// other is what the server asked for.
Verdict backlog_stale(const Window& window, const Thresholds&) {
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return Verdict::unknown(listeners.error());
  const auto somaxconn = window.setting("net.core.somaxconn");
  if (!somaxconn) return Verdict::unknown(somaxconn.error());
  std::vector<Facts> found;
  for (const auto& listener : (*listeners)->listeners) {
    const auto limit = listener.fullest().queue_limit;
    if (listener.somaxconn_when_seen != limit || *somaxconn <= static_cast<std::int64_t>(limit)) continue;
    Facts facts{.subject = listener_subject(window, listener),
                .evidence = {{"accept queue limit", static_cast<double>(limit), "connections", {}},
                             {"net.core.somaxconn", static_cast<double>(*somaxconn), "", {}}},
                .bites = Bites{.limit = "listen backlog",
                               .value = static_cast<double>(limit),
                               .ceiling = "net.core.somaxconn",
                               .ceiling_value = static_cast<double>(*somaxconn)}};
    facts.values["limit"] = std::to_string(limit);
    facts.values["somaxconn"] = std::to_string(*somaxconn);
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found));
}

std::uint64_t waiting(const Listener& listener) {
  std::uint64_t sum = 0;
  for (const auto& socket : listener.sockets) sum += socket.queue_length;
  return sum;
}

// The members that are there no more.
std::vector<const ListenerSocket*> lost_sockets(const Listener& before, const Listeners& now) {
  std::set<std::uint64_t> present;
  const auto port_of = [](const Listener& listener) { return listener.endpoint.port; };
  for (const auto& listener : std::ranges::equal_range(now.listeners, port_of(before), {}, port_of))
    for (const auto& socket : listener.sockets) present.insert(socket.cookie);
  std::vector<const ListenerSocket*> lost;
  for (const auto& socket : before.sockets)
    if (!present.contains(socket.cookie)) lost.push_back(&socket);
  return lost;
}

// What waited in their queues when they were seen last.
std::uint64_t lost_with(const Listener& before, const Listeners& now) {
  std::uint64_t waited = 0;
  for (const auto* socket : lost_sockets(before, now)) waited += socket->queue_length;
  return waited;
}

// A listener's sockets at the last snapshot that showed them all.
struct LastSeen {
  const Listener* listener;
  std::size_t index;
};

// Those of which the next snapshot lacks a socket with connections in its queue, and the latest one too: one
// dump can miss a socket.
std::vector<LastSeen> gone_listeners(const Window& window, const Listeners& now) {
  std::vector<LastSeen> gone;
  for (std::size_t i = 0; i + 1 < window.size(); ++i) {
    const auto* listeners = window.view(i).listeners.get();
    const auto* next = window.view(i + 1).listeners.get();
    if (listeners == nullptr || next == nullptr) continue;
    for (const auto& listener : listeners->listeners)
      if (waiting(listener) > 0 && lost_with(listener, *next) > 0 && lost_with(listener, now) > 0)
        gone.push_back({&listener, i});
  }
  return gone;
}

Count kernel_resets_of(const TcpCounters* tcp) {
  return tcp == nullptr ? Count() : kernel_resets(tcp->out_rsts, tcp->abort_on_close, tcp->abort_on_data);
}

// Those sent while the listener closed.
constexpr std::chrono::seconds kClosing{2};
Result<std::uint64_t> resets_after(const Window& window, std::size_t index) {
  const auto* before = window.view(index).tcp.get();
  auto last = index;
  while (last + 1 < window.size() && window.snapshot(last).at - window.snapshot(index).at < kClosing) ++last;
  const auto* after = window.view(last).tcp.get();
  const auto sent_before = kernel_resets_of(before), sent_after = kernel_resets_of(after);
  if (!sent_before || !sent_after || after->out_rsts < before->out_rsts)
    return unexpected(Errc::not_read, "netstat: OutRsts is not known from when the listener closed");
  return *sent_after - std::min(*sent_after, *sent_before);
}

// Of a group, the one process that held the socket with most connections, or none.
Subject subject_of_lost(const Snapshot& then, const Listener& listener, const Listeners& now) {
  auto subject = listener_subject(then, listener);
  if (listener.sockets.size() == 1) return subject;
  const auto lost = lost_sockets(listener, now);
  const auto longest = std::ranges::max_element(lost, {}, &ListenerSocket::queue_length);
  const auto* worker = longest == lost.end() ? nullptr : worker_of(then, listener, (*longest)->inode);
  set_owner(subject, worker);
  return subject;
}

Verdict listener_exit(const Window& window, const Thresholds&) {
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return Verdict::unknown(listeners.error());
  if ((*listeners)->waited_on_cut > 0)  // one that is left out looks as if it were gone
    return Verdict::unknown(
        {Errc::too_large, "listeners: there are more with connections in their queue than are kept"});
  std::vector<Facts> found;
  for (const auto& [listener, index] : gone_listeners(window, **listeners)) {
    const auto lost = lost_with(*listener, **listeners);
    const auto resets = resets_after(window, index);
    if (!resets) return Verdict::unknown(resets.error());
    if (*resets < lost) continue;  // it was drained before it closed, or handed its connections on
    Facts facts{.subject = subject_of_lost(window.snapshot(index), *listener, **listeners),
                .evidence = {
                    {"connections in its queue when it closed", static_cast<double>(lost), "connections", {}},
                    {std::string(kKernelResets), static_cast<double>(*resets), "segments", kClosing}}};
    facts.values["waiting"] = std::to_string(lost);
    facts.values["resets"] = std::to_string(*resets);
    // One that opened again and closed again is one listener.
    std::erase_if(
        found, [&](const Facts& earlier) { return to_string(earlier.subject) == to_string(facts.subject); });
    found.push_back(std::move(facts));
  }
  return Verdict::found(std::move(found));
}

constexpr std::string_view kFamily = "Accept queue";

constexpr auto kStaleAdvice = std::to_array<AdviceText>({
    {"Restart or reload the server on {listener}, so that it calls listen() again.", kRestartCommand,
     "Its backlog may then be as large as it asks for, up to {somaxconn}; if it asks for {limit}, nothing "
     "changes.",
     "A restart closes open connections."},
});
constexpr auto kExitAdvice = std::to_array<AdviceText>({
    {"Have the server drain before it ends: take it out of the load balancer, accept what waits, then close.",
     "", "No client is reset when it stops or restarts.", "Stopping takes longer."},
    {"If listeners share the port by SO_REUSEPORT, let their connections move to the others.",
     "sysctl -w net.ipv4.tcp_migrate_req=1",
     "The kernel hands waiting connections to another member of the group (Linux 5.14 and later).", ""},
    {"Keep the listening socket open across restarts: socket activation, or a reload that inherits it.", "",
     "Connections wait in the queue instead of being reset.", ""},
    {"If it was not meant to end, find out why it did.",
     "[journalctl --unit={service} -n 50|journalctl _SYSTEMD_USER_UNIT={user_service} _UID={user} -n "
     "50|docker logs --tail 50 {docker}|podman logs --tail 50 {podman}]",
     "Shows what it logged last.", ""},
});
constexpr std::string_view kStaleNot[] = {
    "Raising net.core.somaxconn further: it changes no listener that is already listening."};
constexpr std::string_view kExitNot[] = {"A larger backlog: more connections would wait in it and be reset."};

constexpr Rule kRules[] = {
    {.info = {.id = "listener-backlog-stale",
              .family = kFamily,
              .severity = Severity::info,
              .title = "A listener still has the limit of an older net.core.somaxconn",
              .true_when = "The limit of a listener is what net.core.somaxconn was when it appeared, and "
                           "net.core.somaxconn is larger now.",
              .clients_see = "Nothing, until a burst comes.",
              .summary = "{listener}[ ({owner})] still has an accept queue of {limit}, the value of "
                         "net.core.somaxconn when the listener was first seen here; it is {somaxconn} now, "
                         "and the listener does not pick that up by itself.",
              .advice = kStaleAdvice,
              .not_helping = kStaleNot,
              .reads = "sock_diag, net.core.somaxconn",
              .judges_queues = true},
     .evaluate = backlog_stale},
    {.info = {.id = "listener-exit",
              .family = kFamily,
              .severity = Severity::warning,
              .title = "A listener closed while connections waited in its queue",
              .true_when = "A listening socket that had connections in its accept queue is gone, and resets "
                           "have been sent since.",
              .clients_see = "\"Connection reset by peer\" before the first answer; then \"Connection "
                             "refused\" while nothing listens.",
              .summary = "{listener}[ ({owner})] was closed while {waiting} {waiting:connection|connections} "
                         "waited in its accept queue; {resets} {resets:reset|resets} that no program asked "
                         "for {resets:has|have} been sent since.",
              .advice = kExitAdvice,
              .not_helping = kExitNot,
              .reads = "sock_diag, /proc/net/snmp, /proc/net/netstat",
              .judges_queues = true,
              .explains_clients = true},
     .evaluate = listener_exit},
};
static_assert(words_fit(kRules), "a {name} that is not in kFamilyValues");

}  // namespace

std::span<const Rule> listener_rules() { return kRules; }

}  // namespace tcpdiag
