// SPDX-License-Identifier: Apache-2.0
// How the rows of the metric catalogue get their samples: one value of each thing there is (templates), or
// something that has to be put together (functions).
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/facts/processes.h"
#include "core/facts/softnet.h"
#include "core/fair_share.h"
#include "core/report.h"
#include "exporters/samples.h"

namespace tcpdiag {
struct TcpCounterSpec;
}

namespace tcpdiag::fill {

/// `Value`, a member or a function, of a section of every namespace. Labels: netns.
template <auto Section, auto Value>
void each_netns(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces)
    if (const auto* share = (netns.*Section).get()) samples.add(std::invoke(Value, *share), {netns.name});
}

/// A TCP counter of every namespace, a time in seconds. Labels: netns.
void each_netns(const Report& report, Samples& samples, const TcpCounterSpec& counter);

/// The same of the daemon's own namespace, for what is the whole machine's wherever it is read. No labels.
template <auto Section, auto Value>
void host(const Report& report, Samples& samples) {
  if (report.snapshot.namespaces.empty()) return;
  if (const auto* share = (report.snapshot.namespaces.front().*Section).get())
    samples.add(std::invoke(Value, *share), {});
}

/// The same of a section that belongs to the machine. No labels.
template <auto Section, auto Value>
void machine(const Report& report, Samples& samples) {
  if (const auto* share = (report.snapshot.*Section).get()) samples.add(std::invoke(Value, *share), {});
}

/// `Value` of every CPU. Labels: cpu.
template <auto Value>
void each_cpu(const Report& report, Samples& samples) {
  if (const auto* softnet = report.snapshot.softnet.get())
    for (const auto& cpu : softnet->cpus) samples.add(std::invoke(Value, cpu), {std::to_string(cpu.cpu)});
}

/// At most `limit` of what is there, in its order: what matters first, then the rest, of each owner as many
/// as of any other.
template <class T, class Matters, class OwnerOf>
std::vector<const T*> choose(const std::vector<T>& all, std::size_t limit, Matters matters,
                             OwnerOf owner_of) {
  std::vector<const T*> chosen;
  chosen.reserve(all.size());
  for (const auto& each : all) chosen.push_back(&each);
  if (all.size() <= limit) return chosen;
  share_out(chosen, [&](const T* each) { return owner_of(*each); });
  std::ranges::stable_partition(chosen, [&](const T* each) { return matters(*each); });
  chosen.resize(limit);
  std::ranges::sort(chosen, std::less<const T*>());
  return chosen;
}

/// Whether connections wait for accept(), have waited within the last 60 s, or were dropped.
bool in_trouble(const Listener& listener);

/// Calls `visit(netns, listener)` for every listener within the limits, those in trouble above all.
template <class Visit>
void visit_listeners(const Report& report, Samples& samples, Visit visit) {
  for (const auto& netns : report.snapshot.namespaces) {
    const auto* share = netns.listeners.get();
    if (share == nullptr) continue;
    const auto shown = choose(share->listeners, samples.limits().listeners, in_trouble,
                              [](const Listener& listener) { return listener.sockets.front().uid; });
    for (const auto* listener : shown) visit(netns, *listener);
    samples.cut(share->listeners.size() - shown.size());
  }
}

/// `Value` of every listener. Labels: netns, address, port.
template <auto Value>
void each_listener(const Report& report, Samples& samples) {
  visit_listeners(report, samples, [&](const NetnsView& netns, const Listener& listener) {
    samples.add(std::invoke(Value, listener),
                {netns.name, address_label(listener.endpoint), std::to_string(listener.endpoint.port)});
  });
}

/// Calls `visit(process, unit, fullest)` for every group of processes with the same name and unit that is
/// within the limits; the labels are in order and ready for a page.
void visit_process_groups(
    const Report& report, Samples& samples,
    const std::function<void(std::string_view, std::string_view, const Process&)>& visit);

/// `Value` of the fullest process of every group. Labels: process, unit.
template <auto Value>
void each_process_group(const Report& report, Samples& samples) {
  visit_process_groups(report, samples,
                       [&](std::string_view process, std::string_view unit, const Process& fullest) {
                         samples.add(std::invoke(Value, fullest), {process, unit});
                       });
}

/// `Value(run, report)` of every collector's latest run. Labels: collector, netns.
template <auto Value>
void each_run(const Report& report, Samples& samples) {
  for (const auto& run : report.runs) samples.add(Value(run, report), {run.collector, run.netns});
}

void netns_info(const Report& report, Samples& samples);
void netns_watched(const Report& report, Samples& samples);
void listener_fill(const Report& report, Samples& samples);
void listener_half_open(const Report& report, Samples& samples);
void listener_info(const Report& report, Samples& samples);
void connections(const Report& report, Samples& samples);
void connections_unaccepted(const Report& report, Samples& samples);
void connections_unread(const Report& report, Samples& samples);
void close_wait_oldest(const Report& report, Samples& samples);
void sockets_in_use(const Report& report, Samples& samples);
void sysctl_numbers(const Report& report, Samples& samples);
void sysctl_words(const Report& report, Samples& samples);
void sysctls_unread(const Report& report, Samples& samples);
void kernel_log_events(const Report& report, Samples& samples);
void syn_flood_reports(const Report& report, Samples& samples);
void findings_active(const Report& report, Samples& samples);
void finding_info(const Report& report, Samples& samples);
void finding_evidence(const Report& report, Samples& samples);
void findings_opened(const Report& report, Samples& samples);
void findings_that_return(const Report& report, Samples& samples);
void finding_unknown(const Report& report, Samples& samples);
void samples_cut(const Report& report, Samples& samples);

}  // namespace tcpdiag::fill
