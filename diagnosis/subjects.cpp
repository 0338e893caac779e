// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/subjects.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/facts/kernel_log.h"
#include "core/owners.h"

namespace tcpdiag {

void set_owner(Subject& subject, const Process* owner) {
  subject.process = owner == nullptr ? "" : owner->comm;
  subject.pid = owner == nullptr ? std::nullopt : std::optional(owner->pid);
  subject.owner = owner == nullptr ? Owner() : owner->owner;
}

Subject listener_subject(const Window& window, const Listener& listener) {
  return listener_subject(window.newest(), listener);
}

Subject listener_subject(const Snapshot& then, const Listener& listener) {
  Subject subject{.kind = SubjectKind::listener,
                  .address = address_label(listener.endpoint),
                  .port = listener.endpoint.port,
                  .uid = listener.fullest().uid};
  const auto* processes = then.processes.get();
  if (processes == nullptr) return subject;
  set_owner(subject, main_owner(*processes, listener));
  return subject;
}

const Process* worker_of(const Snapshot& then, const Listener& listener, std::uint32_t inode) {
  const auto* processes = then.processes.get();
  if (processes == nullptr) return nullptr;
  const Process* worker = nullptr;
  for (const auto& process : processes->processes) {
    const auto holds = [&](std::uint32_t socket) {
      return std::ranges::binary_search(process.listener_inodes, socket);
    };
    const auto held = std::ranges::count_if(
        listener.sockets, [&](const ListenerSocket& socket) { return holds(socket.inode); });
    if (held != 1 || !holds(inode)) continue;
    if (worker != nullptr) return nullptr;
    worker = &process;
  }
  return worker;
}

Subject port_subject(const Window& window, std::uint16_t port) {
  Subject unnamed{.kind = SubjectKind::listener, .port = port};
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return unnamed;
  std::optional<Subject> only;
  for (const auto& listener : (*listeners)->listeners) {
    if (listener.endpoint.port != port) continue;
    const auto subject = listener_subject(window, listener);
    if (only && (!subject.pid || only->pid != subject.pid)) return unnamed;
    if (!only) only = subject;
  }
  return only.value_or(unnamed);
}

Subject process_subject(const Process& process) {
  return {.kind = SubjectKind::process,
          .process = process.comm,
          .pid = process.pid,
          .owner = process.owner,
          .uid = process.uid};
}

const Process* find_process(const Processes& processes, const Process& wanted) {
  const auto found = std::ranges::lower_bound(processes.processes, wanted.pid, {}, &Process::pid);
  const bool same = found != processes.processes.end() && found->pid == wanted.pid &&
                    found->start_ticks == wanted.start_ticks;
  return same ? &*found : nullptr;
}

Subject destination_subject(const Destination& destination) {
  return {.kind = SubjectKind::destination,
          .address = to_string(destination.destination),
          .port = destination.port};
}

const Listener* find_listener(const Listeners& listeners, const Endpoint& endpoint) {
  const auto by_port = [](const Endpoint& each) { return std::tie(each.port, each); };
  const auto found = std::ranges::lower_bound(listeners.listeners, by_port(endpoint), {},
                                              [&](const Listener& each) { return by_port(each.endpoint); });
  return found == listeners.listeners.end() || found->endpoint != endpoint ? nullptr : &*found;
}

std::optional<HalfOpenPeak> busiest_half_open(const Window& window) {
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return std::nullopt;
  std::map<Endpoint, std::uint32_t> peaks;
  for (const auto& reading : window.readings(&NetnsView::connections))
    for (const auto& half_open : reading.value->half_open)
      peaks[half_open.listener] = std::max(peaks[half_open.listener], half_open.count);
  std::optional<HalfOpenPeak> busiest;
  for (const auto& [endpoint, count] : peaks) {
    if (count == 0 || (busiest && count <= busiest->half_open)) continue;
    if (const auto* listener = find_listener(**listeners, endpoint)) busiest = {listener, count};
  }
  return busiest;
}

namespace {

// A listener of this namespace that a SYN-flood line of the window is about. The line may be another
// namespace's, so it must name one that is here.
const Listener* listener_in_log(const Window& window, const Listeners& listeners) {
  const auto* log = window.newest().kernel_log.get();
  if (log == nullptr) return nullptr;
  for (const auto& event : log->recent) {
    if (event.kind != KernelEventKind::syn_flood || event.at < window.snapshot(0).at) continue;
    for (const auto& listener : listeners.listeners)
      if (listener.endpoint.port == event.port &&
          (event.address.empty() || event.address == to_string(listener.endpoint.address)))
        return &listener;
  }
  return nullptr;
}

// The most connections that each service port had within the window, less those it had at its beginning.
std::map<std::uint16_t, std::uint64_t> growth_of_ports(const Window& window) {
  const auto dumps = window.readings(&NetnsView::connections);
  std::map<std::uint16_t, std::uint64_t> before, growth;
  if (dumps.empty()) return growth;
  for (const auto& port : dumps.front().value->server) before[port.port] = port.total();
  for (const auto& dump : dumps)
    for (const auto& port : dump.value->server)
      if (port.total() > before[port.port])
        growth[port.port] = std::max(growth[port.port], port.total() - before[port.port]);
  return growth;
}

const Listener* busiest_listener(const Window& window, const Listeners& listeners) {
  constexpr std::uint64_t kWorthAWord = 5;
  std::uint64_t sum = 0, most = 0;
  std::uint16_t busiest = 0;
  for (const auto& [port, grown] : growth_of_ports(window)) {
    sum += grown;
    if (grown > most) std::tie(most, busiest) = std::tuple(grown, port);
  }
  if (most < kWorthAWord || 2 * most < sum) return nullptr;
  const auto found = std::ranges::find(listeners.listeners, busiest,
                                       [](const Listener& listener) { return listener.endpoint.port; });
  return found == listeners.listeners.end() ? nullptr : &*found;
}

}  // namespace

const Listener* flooded_listener(const Window& window) {
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return nullptr;
  if (const auto busiest = busiest_half_open(window);
      busiest && 4 * busiest->half_open >= busiest->listener->fullest().queue_limit)
    return busiest->listener;
  if (const auto* named = listener_in_log(window, **listeners)) return named;
  return busiest_listener(window, **listeners);
}

}  // namespace tcpdiag
