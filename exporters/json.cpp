// SPDX-License-Identifier: Apache-2.0
#include "exporters/json.h"

#include <nlohmann/json.hpp>

#include "core/ephemeral_ports.h"
#include "core/owners.h"
#include "core/sysctls.h"
#include "core/time_text.h"
#include "core/version.h"
#include "exporters/metric_catalog.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kCloseWaitsShown = 100;

template <class T>
void put(Json& object, std::string_view key, const std::optional<T>& value) {
  if (value) object[std::string(key)] = *value;
}

Json error_value(const Error& error) { return {{"code", to_string(error.code)}, {"detail", error.detail}}; }

Json process_json(const Process& process) {
  return {{"pid", process.pid},
          {"process", process.comm},
          {"unit", to_string(process.owner)},
          {"unit_kind", to_string(process.owner.kind)}};
}

/// The section as `render` shows it, or its error.
template <class T, class Render>
Json section(const Section<T>& share, Render render) {
  if (const auto* value = share.get()) return render(*value);
  return {{"error", error_value(share.value.error())}};
}

double seconds(std::chrono::duration<double> duration) { return duration.count(); }

Json tcp_counters(const TcpCounters& counters) {
  Json object = Json::object();
  for (const auto& spec : metric_catalog())
    if (spec.tcp_counter != nullptr) put(object, counter_word(spec), counters.*spec.tcp_counter);
  return object;
}

Json socket_usage(const SocketUsage& usage) {
  Json object = Json::object();
  put(object, "tcp_in_use", usage.tcp_in_use);
  put(object, "tcp6_in_use", usage.tcp6_in_use);
  put(object, "time_wait", usage.time_wait);
  put(object, "orphans", usage.orphans);
  put(object, "allocated", usage.allocated);
  put(object, "memory_bytes", usage.memory_bytes);
  return object;
}

Json endpoint(const Endpoint& endpoint) {
  Json object = {{"address", address_label(endpoint)}, {"port", endpoint.port}};
  return object;
}

Json listener(const Listener& listener, const ListenerOwners* owners) {
  auto object = endpoint(listener.endpoint);
  put(object, "v6_only", listener.v6_only);
  object["peak_length"] = listener.peak_length;
  put(object, "drops", listener.drops);
  object["sockets"] = Json::array();
  for (const auto& socket : listener.sockets) {
    Json member = {{"inode", socket.inode},
                   {"uid", socket.uid},
                   {"queue_length", socket.queue_length},
                   {"queue_limit", socket.queue_limit}};
    put(member, "drops", socket.drops);
    object["sockets"].push_back(std::move(member));
  }
  if (owners == nullptr) return object;
  object["owners"] = Json::array();
  for (const auto* owner : owners->all(listener)) object["owners"].push_back(process_json(*owner));
  return object;
}

Json listeners(const Listeners& listeners, const ListenerOwners* owners) {
  Json object = {{"endpoints", Json::array()}, {"cut", listeners.cut}};
  for (const auto& each : listeners.listeners) object["endpoints"].push_back(listener(each, owners));
  return object;
}

Json port_connections(const PortConnections& connections, bool with_port, bool server) {
  Json object = Json::object();
  if (with_port) object["port"] = connections.port;
  for (std::size_t state = 1; state < kTcpStates; ++state)
    if (const auto shown = static_cast<TcpState>(state); shown != TcpState::listen)
      object["states"][std::string(to_string(shown))] = connections.count(shown);
  if (server) object["unaccepted"] = connections.unaccepted;
  put(object, "unaccepted_left", connections.unaccepted_left);
  object["fin_wait2_orphaned"] = connections.fin_wait2_orphaned;
  return object;
}

Json close_waits(const Connections& connections, TimePoint read_at) {
  const auto shown = std::min(connections.close_wait.size(), kCloseWaitsShown);
  Json object = {{"oldest", Json::array()},
                 {"cut", connections.close_wait.size() - shown + connections.close_wait_cut}};
  for (const auto& socket : std::span(connections.close_wait).first(shown))
    object["oldest"].push_back({{"role", socket.server ? "server" : "client"},
                                {"port", socket.port},
                                {"inode", socket.inode},
                                {"age_seconds", seconds(read_at - socket.first_seen)}});
  return object;
}

Json destinations(const std::vector<Destination>& destinations) {
  Json list = Json::array();
  for (const auto& destination : destinations)
    list.push_back({{"source", to_string(destination.source)},
                    {"destination", to_string(destination.destination)},
                    {"port", destination.port},
                    {"local_ports", destination.local_ports}});
  return list;
}

Json connections(const Connections& connections, TimePoint read_at) {
  Json object = {{"sockets", connections.sockets}, {"server", Json::array()}, {"client", Json::array()}};
  for (const auto& port : connections.server) object["server"].push_back(port_connections(port, true, true));
  for (const auto& port : connections.client) object["client"].push_back(port_connections(port, true, false));
  object["client_other"] = port_connections(connections.client_other, false, false);
  object["half_open"] = Json::array();
  for (const auto& half_open : connections.half_open) {
    auto entry = endpoint(half_open.listener);
    entry["count"] = half_open.count;
    object["half_open"].push_back(std::move(entry));
  }
  object["close_wait"] = close_waits(connections, read_at);
  object["destinations"] = destinations(connections.destinations);
  object["destination_undercount"] = connections.destination_undercount;
  object["unanswered"] = destinations(connections.unanswered);
  object["ephemeral_ports_used"] = connections.ephemeral_ports_used;
  object["ephemeral_connections"] = connections.ephemeral_connections;
  return object;
}

Json settings(const Settings& settings) {
  Json object = {{"sysctls", Json::object()}};
  for (const auto& sysctl : settings.sysctls) {
    const auto* spec = find_sysctl(sysctl.name);
    const bool is_list = spec != nullptr && spec->form == SysctlForm::numbers && sysctl.values.size() > 1;
    auto& value = object["sysctls"][std::string(sysctl.name)];
    if (is_list)
      value = sysctl.values;
    else if (spec != nullptr && spec->form == SysctlForm::numbers && sysctl.values.size() == 1)
      value = sysctl.values.front();
    else
      value = sysctl.text;
  }
  put(object, "ephemeral_ports", ephemeral_ports(settings));
  for (const auto& unread : settings.unread)
    object["unread"][std::string(unread.name)] = error_value(unread.error);
  return object;
}

Json conntrack(const Conntrack& conntrack) {
  Json object = Json::object();
  put(object, "entries", conntrack.entries);
  put(object, "limit", conntrack.limit);
  put(object, "drops", conntrack.drops);
  put(object, "early_drops", conntrack.early_drops);
  put(object, "insert_failed", conntrack.insert_failed);
  return object;
}

Json namespace_view(const NetnsView& netns, const ListenerOwners* owners) {
  return {{"name", netns.name},
          {"tcp", section(netns.tcp, tcp_counters)},
          {"sockets", section(netns.sockets, socket_usage)},
          {"listeners", section(netns.listeners, [&](const Listeners& l) { return listeners(l, owners); })},
          {"connections",
           section(netns.connections,
                   [&](const Connections& c) { return connections(c, netns.connections.read_at); })},
          {"settings", section(netns.settings, settings)},
          {"conntrack", section(netns.conntrack, conntrack)}};
}

Json files(const FileHandles& files) { return {{"open", files.open}, {"max", files.max}}; }

Json processes(const Processes& processes) {
  Json object = {{"total", processes.total},           {"unreadable", processes.unreadable},
                 {"uncounted", processes.uncounted},   {"some_hidden", processes.some_hidden},
                 {"owners_cut", processes.owners_cut}, {"shown", Json::array()}};
  put(object, "closed_sockets_at_most", processes.closed_sockets_at_most);
  object["closed_sockets_denied"] = processes.closed_sockets_denied;
  for (const auto& process : processes.processes) {
    auto entry = process_json(process);
    put(entry, "open_fds", process.open_fds);
    put(entry, "soft_limit", process.soft_limit);
    put(entry, "hard_limit", process.hard_limit);
    entry["listener_inodes"] = process.listener_inodes;
    entry["close_wait_inodes"] = process.close_wait_inodes;
    put(entry, "closed_sockets", process.closed_sockets);
    if (process.state != 0) entry["state"] = std::string(1, process.state);
    if (!process.wait_channel.empty()) entry["wait_channel"] = process.wait_channel;
    object["shown"].push_back(std::move(entry));
  }
  return object;
}

Json memory(const MemoryInfo& memory) {
  Json object = Json::object();
  put(object, "total_bytes", memory.total_bytes);
  put(object, "available_bytes", memory.available_bytes);
  return object;
}

Json host_config(const HostConfig& config) {
  Json object = {{"sysctls", Json::array()}, {"file_limits", Json::array()}, {"cut", config.cut}};
  for (const auto& line : config.sysctls) {
    Json entry = {{"file", line.file}, {"line", line.line}, {"name", line.name}, {"value", line.value}};
    put(entry, "exists", line.exists);
    object["sysctls"].push_back(std::move(entry));
  }
  for (const auto& limit : config.file_limits)
    object["file_limits"].push_back(
        {{"unit", limit.unit}, {"file", limit.file}, {"line", limit.line}, {"value", limit.value}});
  object["unread"] = Json::array();
  for (const auto& error : config.unread) object["unread"].push_back(error_value(error));
  return object;
}

Json softnet(const Softnet& softnet) {
  Json object = {{"cpus", Json::array()}};
  for (const auto& cpu : softnet.cpus)
    object["cpus"].push_back({{"cpu", cpu.cpu},
                              {"processed", cpu.processed},
                              {"dropped", cpu.dropped},
                              {"time_squeezed", cpu.time_squeezed}});
  return object;
}

Json kernel_event(const KernelEvent& event, TimePoint now) {
  Json object = {{"event", to_string(event.kind)},
                 {"sequence", event.sequence},
                 {"age_seconds", seconds(now - event.at)},
                 {"text", event.text}};
  if (!event.address.empty()) object["address"] = event.address;
  if (event.port != 0) object["port"] = event.port;
  put(object, "cookies", event.cookies);
  return object;
}

Json kernel_log(const KernelLog& log, TimePoint now) {
  Json object = {{"counts", Json::object()}, {"syn_floods", Json::array()}, {"recent", Json::array()}};
  for (std::size_t kind = 0; kind < log.counts.size(); ++kind)
    object["counts"][std::string(to_string(static_cast<KernelEventKind>(kind)))] = log.counts[kind];
  for (const auto& flood : log.syn_floods)
    object["syn_floods"].push_back(
        {{"address", flood.address}, {"port", flood.port}, {"count", flood.count}});
  object["syn_floods_cut"] = log.syn_floods_cut;
  for (const auto& event : log.recent) object["recent"].push_back(kernel_event(event, now));
  object["lost_records"] = log.lost;
  return object;
}

Json self(const SelfUsage& usage) {
  Json object = {{"cpu_seconds", usage.cpu_seconds},
                 {"start_time_seconds", usage.start_time_seconds},
                 {"resident_bytes", usage.resident_bytes},
                 {"virtual_bytes", usage.virtual_bytes},
                 {"threads", usage.threads}};
  put(object, "open_fds", usage.open_fds);
  put(object, "max_fds", usage.max_fds);
  return object;
}

Json collector_run(const CollectorRun& run, TimePoint now) {
  Json object = {{"name", run.collector}};
  if (!run.netns.empty()) object["netns"] = run.netns;
  object["success"] = run.outcome.has_value();
  if (!run.outcome) object["error"] = error_value(run.outcome.error());
  if (run.has_run()) {
    object["duration_seconds"] = seconds(run.duration);
    object["cpu_seconds"] = seconds(run.cpu);
  }
  object["period_seconds"] = seconds(run.period);
  if (run.succeeded_at) object["age_seconds"] = seconds(now - *run.succeeded_at);
  return object;
}

}  // namespace

nlohmann::ordered_json to_json(const Report& report) {
  const auto& snapshot = report.snapshot;
  std::optional<ListenerOwners> owners;
  if (const auto* known = snapshot.processes.get()) owners.emplace(*known);

  Json object = {{"generated_at", to_rfc3339(report.wall_at)}, {"version", version()}};
  object["namespaces"] = Json::array();
  for (const auto& netns : snapshot.namespaces)
    object["namespaces"].push_back(namespace_view(netns, owners ? &*owners : nullptr));
  object["files"] = section(snapshot.files, files);
  object["processes"] = section(snapshot.processes, processes);
  object["softnet"] = section(snapshot.softnet, softnet);
  object["memory"] = section(snapshot.memory, memory);
  object["config"] = section(snapshot.config, host_config);
  object["kernel_log"] =
      section(snapshot.kernel_log, [&](const KernelLog& log) { return kernel_log(log, report.at); });
  object["self"] = section(snapshot.self, self);
  object["collectors"] = Json::array();
  for (const auto& run : report.runs) object["collectors"].push_back(collector_run(run, report.at));
  object["ticks_late"] = report.ticks_late;
  if (report.http)
    object["http"] = {{"connections", report.http->connections},
                      {"refused", report.http->refused},
                      {"dropped", report.http->dropped}};
  return object;
}

std::string to_json_text(const Report& report) {
  return to_json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tcpdiag
