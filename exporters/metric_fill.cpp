// SPDX-License-Identifier: Apache-2.0
#include "exporters/metric_fill.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "core/facts/connections.h"
#include "core/facts/kernel_log.h"
#include "core/facts/netns_list.h"
#include "core/facts/settings.h"
#include "core/facts/socket_usage.h"
#include "core/facts/tcp_counters.h"
#include "core/owners.h"
#include "core/sysctls.h"
#include "core/utf8.h"
#include "exporters/metric_catalog.h"

namespace tcpdiag::fill {
namespace {

constexpr std::string_view kServer = "server", kClient = "client", kOther = "other";

constexpr TcpState kStatesShown[] = {
    TcpState::established, TcpState::syn_sent, TcpState::syn_recv,   TcpState::fin_wait1, TcpState::fin_wait2,
    TcpState::time_wait,   TcpState::close,    TcpState::close_wait, TcpState::last_ack,  TcpState::closing};

/// Server ports within the limits, above all those whose connections wait for accept().
std::vector<const PortConnections*> server_ports(const NetnsView& netns, Samples& samples,
                                                 std::size_t samples_per_port) {
  std::set<std::uint16_t> troubled;
  std::map<std::uint16_t, std::uint32_t> users;
  if (const auto* share = netns.listeners.get())
    for (const auto& listener : share->listeners) {
      if (in_trouble(listener)) troubled.insert(listener.endpoint.port);
      users.emplace(listener.endpoint.port, listener.sockets.front().uid);
    }
  const auto matters = [&](const PortConnections& port) {
    return port.unaccepted != 0 || troubled.contains(port.port);
  };
  const auto user = [&](const PortConnections& port) {
    const auto found = users.find(port.port);
    return found == users.end() ? std::optional<std::uint32_t>() : found->second;
  };
  const auto& dump = *netns.connections.get();
  auto shown = choose(dump.server, samples.limits().server_ports, matters, user);
  samples.cut((dump.server.size() - shown.size() + dump.server_cut) * samples_per_port);
  return shown;
}

void add_states(Samples& samples, std::string_view netns, std::string_view role, std::string_view port,
                const PortConnections& connections) {
  for (const auto state : kStatesShown)
    samples.add(connections.count(state), {netns, role, port, to_string(state)});
}

// There may be hundreds that were found, with thousands of listeners in which nothing ever happens: what
// would say nothing but zero of one of them has no series.
bool was_found(const NetnsView& netns) { return netns.generation != 0; }

bool is_without_connections(const PortConnections& port) {
  return port.total() == port.count(TcpState::listen);
}

/// Of processes, the more worrying one. One whose ratio is not known stands behind all others.
bool fuller(const Process& a, const Process& b) {
  const auto key = [](const Process& process) {
    return std::tuple(process.fd_ratio(), process.open_fds, -process.pid);
  };
  return key(a) > key(b);
}

/// What tells one finding from another: its id, namespace and subject, ready for a page.
using FindingLabels = std::array<std::string, 3>;
FindingLabels finding_labels(const Finding& finding) {
  return {finding.id, one_line(finding.netns), one_line(to_string(finding.subject))};
}

/// A name that somebody else chose, ready for a page and no longer than a line.
std::string name_label(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  return std::string(utf8_prefix(one_line(name), kLongest));
}

/// Calls `visit(labels, finding)` for every open finding within the limits, once for those of the same
/// labels: subjects that differ in what cannot be shown become one series rather than two of the same name.
template <class Visit>
void visit_findings(const Report& report, Samples& samples, Visit visit) {
  std::set<FindingLabels> shown;
  const auto open = open_incidents(report);
  const auto most = samples.limits().findings;
  for (const auto* incident : worst_of(open, most)) {
    const auto& finding = incident->finding;
    const auto labels = finding_labels(finding);
    if (shown.insert(labels).second) visit(labels, finding);
  }
  samples.cut(open.size() - std::min(open.size(), most) + report.findings_cut);
}

}  // namespace

void each_netns(const Report& report, Samples& samples, const TcpCounterSpec& counter) {
  constexpr double kMilliseconds = 1000;
  for (const auto& netns : report.snapshot.namespaces) {
    const auto* counters = netns.tcp.get();
    if (counters == nullptr || !(counters->*counter.member)) continue;
    const auto value = static_cast<double>(*(counters->*counter.member));
    samples.add(counter.unit == CounterUnit::milliseconds ? value / kMilliseconds : value, {netns.name});
  }
}

bool in_trouble(const Listener& listener) {
  return listener.drops > Count(0) || listener.peak_length != 0 || listener.fullest().queue_length != 0;
}

void visit_process_groups(
    const Report& report, Samples& samples,
    const std::function<void(std::string_view, std::string_view, const Process&)>& visit) {
  const auto* share = report.snapshot.processes.get();
  if (share == nullptr) return;
  // names that differ in what cannot be shown become one group rather than two series of the same name
  std::map<std::pair<std::string, std::string>, const Process*> fullest;
  for (const auto& process : share->processes) {
    auto& kept = fullest[{one_line(process.comm), one_line(to_string(process.owner))}];
    if (kept == nullptr || fuller(process, *kept)) kept = &process;
  }
  std::vector<const Process*> order;
  order.reserve(fullest.size());
  for (const auto& [labels, process] : fullest) order.push_back(process);
  std::ranges::sort(order, [](const Process* a, const Process* b) { return fuller(*a, *b); });
  const auto shown = std::min(order.size(), samples.limits().processes);
  samples.cut(order.size() - shown);
  const std::set<const Process*> chosen(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown));
  for (const auto& [labels, process] : fullest)
    if (chosen.contains(process)) visit(labels.first, labels.second, *process);
}

void listener_fill(const Report& report, Samples& samples) {
  visit_listeners(report, samples, [&](const NetnsView& netns, const Listener& listener) {
    const auto& looks = listener.fill.samples;
    const bool never_waited_on =
        std::all_of(looks.begin() + 1, looks.end(), [](std::uint64_t count) { return count == 0; });
    if (was_found(netns) && never_waited_on) return;
    samples.add(listener.fill,
                {netns.name, address_label(listener.endpoint), std::to_string(listener.endpoint.port)});
  });
}

void listener_half_open(const Report& report, Samples& samples) {
  visit_listeners(report, samples, [&](const NetnsView& netns, const Listener& listener) {
    const auto* connections = netns.connections.get();
    if (connections == nullptr) return;
    const auto& half_open = connections->half_open;
    const auto found = std::ranges::lower_bound(half_open, listener.endpoint, {}, &HalfOpen::listener);
    if (found == half_open.end() || found->listener != listener.endpoint) return;  // newer than the last dump
    samples.add(found->count,
                {netns.name, address_label(listener.endpoint), std::to_string(listener.endpoint.port)});
  });
}

void netns_info(const Report& report, Samples& samples) {
  const auto* list = report.snapshot.netns_list.get();
  if (list == nullptr) return;
  const auto& views = report.snapshot.namespaces;
  for (const auto& netns : list->namespaces) {
    const auto view = netns.generation == 0
                          ? views.end()
                          : std::ranges::find(views, netns.generation, &NetnsView::generation);
    const auto& name = view == views.end() ? netns.name : view->name;
    samples.add(1, {name, to_string(netns.kind), netns.container, netns.image, netns.pod, netns.pod_namespace,
                    netns.compose_project, netns.compose_service});
  }
}

void netns_watched(const Report& report, Samples& samples) {
  samples.add(static_cast<double>(report.snapshot.namespaces.size()), {});
}

void listener_info(const Report& report, Samples& samples) {
  const auto* processes = report.snapshot.processes.get();
  std::optional<ListenerOwners> owners;
  if (processes != nullptr) owners.emplace(*processes);
  visit_listeners(report, samples, [&](const NetnsView& netns, const Listener& listener) {
    const auto* owner = owners ? owners->main(listener) : nullptr;
    const auto unit = owner == nullptr ? std::string() : to_string(owner->owner);
    samples.add(1, {netns.name, address_label(listener.endpoint), std::to_string(listener.endpoint.port),
                    owner == nullptr ? "" : std::string_view(owner->comm), unit});
  });
}

void connections(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces) {
    const auto* share = netns.connections.get();
    if (share == nullptr) continue;
    for (const auto* port : server_ports(netns, samples, std::size(kStatesShown)))
      if (!was_found(netns) || !is_without_connections(*port))
        add_states(samples, netns.name, kServer, std::to_string(port->port), *port);
    for (const auto& port : share->client)
      add_states(samples, netns.name, kClient, std::to_string(port.port), port);
    if (!was_found(netns) || !is_without_connections(share->client_other))
      add_states(samples, netns.name, kClient, kOther, share->client_other);
  }
}

void connections_unaccepted(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces)
    if (netns.connections.known())
      for (const auto* port : server_ports(netns, samples, 1))
        samples.add(port->unaccepted, {netns.name, std::to_string(port->port)});
}

void connections_unread(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces)
    if (netns.connections.known())
      for (const auto* port : server_ports(netns, samples, 1))
        samples.add(port->unread, {netns.name, std::to_string(port->port)});
}

void close_wait_oldest(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces) {
    const auto* share = netns.connections.get();
    if (share == nullptr) continue;
    std::set<std::uint16_t> client_ports;
    for (const auto& port : share->client) client_ports.insert(port.port);
    std::set<std::pair<bool, std::uint16_t>> seen;  // the list begins with the oldest; port 0: other
    for (const auto& socket : share->close_wait) {
      const bool named = socket.server || client_ports.contains(socket.port);
      const auto port = named ? socket.port : std::uint16_t{0};
      if (!seen.emplace(socket.server, port).second) continue;
      const std::chrono::duration<double> age = netns.connections.read_at - socket.first_seen;
      const auto port_label = named ? std::to_string(port) : std::string(kOther);
      samples.add(age.count(), {netns.name, socket.server ? kServer : kClient, port_label});
    }
  }
}

void sockets_in_use(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces) {
    const auto* share = netns.sockets.get();
    if (share == nullptr) continue;
    samples.add(share->tcp_in_use, {netns.name, "ipv4"});
    samples.add(share->tcp6_in_use, {netns.name, "ipv6"});
  }
}

void sysctl_numbers(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces) {
    const auto* share = netns.settings.get();
    if (share == nullptr) continue;
    for (const auto& sysctl : share->sysctls) {
      const auto* spec = find_sysctl(sysctl.name);
      if (spec == nullptr || spec->fields.size() != sysctl.values.size()) continue;
      for (std::size_t i = 0; i < spec->fields.size(); ++i)
        samples.add(static_cast<double>(sysctl.values[i]), {netns.name, sysctl.name, spec->fields[i]});
    }
  }
}

void sysctl_words(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces)
    if (const auto* share = netns.settings.get())
      for (const auto& sysctl : share->sysctls)
        if (sysctl.values.empty()) samples.add(1, {netns.name, sysctl.name, sysctl.text});
}

void sysctls_unread(const Report& report, Samples& samples) {
  for (const auto& netns : report.snapshot.namespaces)
    if (const auto* share = netns.settings.get())
      samples.add(static_cast<double>(share->unread.size()), {netns.name});
}

void kernel_log_events(const Report& report, Samples& samples) {
  const auto* share = report.snapshot.kernel_log.get();
  if (share == nullptr) return;
  for (std::size_t kind = 0; kind < share->counts.size(); ++kind)
    samples.add(static_cast<double>(share->counts[kind]), {to_string(static_cast<KernelEventKind>(kind))});
}

void syn_flood_reports(const Report& report, Samples& samples) {
  const auto* share = report.snapshot.kernel_log.get();
  if (share == nullptr) return;
  for (const auto& reports : share->syn_floods)
    samples.add(static_cast<double>(reports.count), {reports.address, std::to_string(reports.port)});
  if (share->syn_floods_cut != 0) samples.add(static_cast<double>(share->syn_floods_cut), {"", kOther});
}

void findings_active(const Report& report, Samples& samples) {
  visit_findings(report, samples, [&](const FindingLabels& labels, const Finding& finding) {
    samples.add(1, {labels[0], to_string(finding.severity), labels[1], labels[2]});
  });
}

void finding_info(const Report& report, Samples& samples) {
  visit_findings(report, samples, [&](const FindingLabels& labels, const Finding& finding) {
    const auto& subject = finding.subject;
    samples.add(1, {labels[0], labels[1], labels[2], name_label(subject.process),
                    subject.pid ? std::to_string(*subject.pid) : "", name_label(to_string(subject.owner)),
                    subject.port ? std::to_string(*subject.port) : ""});
  });
}

void finding_evidence(const Report& report, Samples& samples) {
  visit_findings(report, samples, [&](const FindingLabels& labels, const Finding& finding) {
    std::set<std::pair<std::string, std::string>> shown;
    const auto add = [&](const std::string& name, double value, const std::string& what) {
      const auto [each, is_first] = shown.emplace(name_label(name), name_label(what));
      if (is_first) samples.add(value, {labels[0], labels[1], labels[2], each->first, each->second});
    };
    for (const auto& each : finding.evidence)
      // not how long the window is: it grows by the second, and each length would be another series
      add(each.name, each.value,
          (each.unit.empty() ? "" : each.unit + " ") + (each.window ? "recently" : "now"));
    if (finding.bites) add(finding.bites->limit, finding.bites->value, "as limit");
  });
}

void findings_opened(const Report& report, Samples& samples) {
  for (const auto& rule : report.rules) samples.add(static_cast<double>(rule.opened), {rule.id});
}

void findings_that_return(const Report& report, Samples& samples) {
  constexpr std::chrono::hours kSpan{1};
  std::map<FindingLabels, std::uint64_t> opened;
  for (const auto& incident : report.incidents)
    if (incident.opened.at > report.at - kSpan && incident.closed_by.empty())
      ++opened[finding_labels(incident.finding)];
  for (const auto& [labels, times] : opened)
    if (times > 1) samples.add(static_cast<double>(times), {labels[0], labels[1], labels[2]});
}

void finding_unknown(const Report& report, Samples& samples) {
  for (const auto& rule : report.rules) samples.add(rule.unknown.empty() ? 0 : 1, {rule.id});
}

void samples_cut(const Report&, Samples& samples) {
  const auto families = samples.cuts();
  for (const auto& family : families.first(families.size() - 1))  // all but this one
    if (family.spec->labels.size() > 1 || family.count != 0)
      samples.add(static_cast<double>(family.count), {family.spec->name});
}

}  // namespace tcpdiag::fill
