// SPDX-License-Identifier: Apache-2.0
#include "exporters/json.h"

#include <nlohmann/json.hpp>

#include "core/ephemeral_ports.h"
#include "core/facts/connections.h"
#include "core/facts/conntrack.h"
#include "core/facts/file_handles.h"
#include "core/facts/host_config.h"
#include "core/facts/interfaces.h"
#include "core/facts/kernel_log.h"
#include "core/facts/memory_info.h"
#include "core/facts/self_usage.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/facts/tcp_counters.h"
#include "core/owners.h"
#include "core/sysctls.h"
#include "core/time_text.h"
#include "core/version.h"
#include "exporters/json_stream.h"

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

/// The same for what may be large: `write` writes it.
template <class T, class Write>
void write_section(JsonStream& stream, std::string_view name, const Section<T>& share, Write write) {
  stream.key(name);
  if (const auto* value = share.get())
    write(*value);
  else
    stream.value({{"error", error_value(share.value.error())}});
}

/// An array with `render` of each.
template <class Values, class Render>
void write_array(JsonStream& stream, std::string_view name, const Values& values, Render render) {
  stream.key(name);
  stream.begin_array();
  for (const auto& value : values) stream.value(render(value));
  stream.end_array();
}

double seconds(std::chrono::duration<double> duration) { return duration.count(); }

Json tcp_counters(const TcpCounters& counters) {
  Json object = Json::object();
  for (const auto& spec : tcp_counter_table()) put(object, spec.name, counters.*spec.member);
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

void write_listeners(JsonStream& stream, const Listeners& listeners, const ListenerOwners* owners) {
  stream.begin_object();
  write_array(stream, "endpoints", listeners.listeners,
              [&](const Listener& each) { return listener(each, owners); });
  stream.field("cut", listeners.cut);
  stream.field("waited_on_cut", listeners.waited_on_cut);
  stream.end_object();
}

Json port_connections(const PortConnections& connections, bool with_port, bool server) {
  Json object = Json::object();
  if (with_port) object["port"] = connections.port;
  for (std::size_t state = 1; state < kTcpStates; ++state)
    if (const auto shown = static_cast<TcpState>(state); shown != TcpState::listen)
      object["states"][std::string(to_string(shown))] = connections.count(shown);
  if (server) {
    object["accepted"] = connections.accepted;
    object["unread"] = connections.unread;
    object["unaccepted"] = connections.unaccepted;
  }
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
                    {"local_ports", destination.local_ports},
                    {"time_wait", destination.time_wait},
                    {"fin_wait2_orphaned", destination.fin_wait2_orphaned},
                    {"close_wait", destination.close_wait}});
  return list;
}

Json unread(const UnreadConnections& unread) {
  Json object = {{"address", to_string(unread.address)},
                 {"port", unread.port},
                 {"accepted", unread.accepted},
                 {"served", unread.served},
                 {"standing", unread.standing}};
  put(object, "not_read", unread.not_read);
  if (unread.longest) object["longest_seconds"] = unread.longest->count();
  return object;
}

Json silent_peer(const SilentPeer& peer) {
  return {{"role", peer.server ? "server" : "client"},
          {"address", to_string(peer.address)},
          {"port", peer.port},
          {"connections", peer.connections},
          {"standing", peer.standing},
          {"alive", peer.alive},
          {"retransmits", peer.retransmits},
          {"longest_seconds", peer.longest.count()}};
}

Json half_open(const HalfOpen& half_open) {
  auto object = endpoint(half_open.listener);
  object["count"] = half_open.count;
  if (half_open.mostly_from) object["mostly_from"] = to_string(*half_open.mostly_from);
  return object;
}

void write_connections(JsonStream& stream, const Connections& connections, TimePoint read_at) {
  stream.begin_object();
  stream.field("sockets", connections.sockets);
  write_array(stream, "server", connections.server,
              [](const PortConnections& port) { return port_connections(port, true, true); });
  stream.field("server_cut", connections.server_cut);
  write_array(stream, "client", connections.client,
              [](const PortConnections& port) { return port_connections(port, true, false); });
  stream.field("client_other", port_connections(connections.client_other, false, false));
  write_array(stream, "half_open", connections.half_open, half_open);
  stream.field("close_wait", close_waits(connections, read_at));
  stream.field("destinations", destinations(connections.destinations));
  stream.field("destination_undercount", connections.destination_undercount);
  stream.field("unanswered", destinations(connections.unanswered));
  stream.field("ephemeral_ports_used", connections.ephemeral_ports_used);
  stream.field("ephemeral_connections", connections.ephemeral_connections);
  write_array(stream, "unread", connections.unread, unread);
  stream.field("unread_cut", connections.unread_cut);
  write_array(stream, "silent_peers", connections.silent_peers, silent_peer);
  stream.field("silent_cut", connections.silent_cut);
  stream.end_object();
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

Json interfaces(const Interfaces& interfaces) {
  Json object = {{"addresses", Json::array()}, {"addresses_cut", interfaces.addresses_cut}};
  for (const auto& address : interfaces.addresses) object["addresses"].push_back(to_string(address));
  object["reverse_path_filters"] = Json::array();
  for (const auto& filter : interfaces.filters)
    object["reverse_path_filters"].push_back({{"interface", filter.interface}, {"mode", filter.mode}});
  return object;
}

void write_namespace(JsonStream& stream, const NetnsView& netns, const ListenerOwners* owners) {
  stream.begin_object();
  stream.field("name", netns.name);
  stream.field("tcp", section(netns.tcp, tcp_counters));
  stream.field("sockets", section(netns.sockets, socket_usage));
  write_section(stream, "listeners", netns.listeners,
                [&](const Listeners& share) { write_listeners(stream, share, owners); });
  write_section(stream, "connections", netns.connections, [&](const Connections& share) {
    write_connections(stream, share, netns.connections.read_at);
  });
  stream.field("settings", section(netns.settings, settings));
  stream.field("conntrack", section(netns.conntrack, conntrack));
  stream.field("interfaces", section(netns.interfaces, interfaces));
  stream.end_object();
}

Json files(const FileHandles& files) { return {{"open", files.open}, {"max", files.max}}; }

Json process(const Process& process) {
  auto object = process_json(process);
  put(object, "open_fds", process.open_fds);
  put(object, "soft_limit", process.soft_limit);
  put(object, "hard_limit", process.hard_limit);
  object["listener_inodes"] = process.listener_inodes;
  object["close_wait_inodes"] = process.close_wait_inodes;
  put(object, "closed_sockets", process.closed_sockets);
  if (process.state != 0) object["state"] = std::string(1, process.state);
  if (!process.wait_channel.empty()) object["wait_channel"] = process.wait_channel;
  return object;
}

void write_processes(JsonStream& stream, const Processes& processes) {
  stream.begin_object();
  stream.field("total", processes.total);
  stream.field("unreadable", processes.unreadable);
  stream.field("uncounted", processes.uncounted);
  stream.field("some_hidden", processes.some_hidden);
  stream.field("owners_cut", processes.owners_cut);
  stream.field("fullest_cut", processes.fullest_cut);
  write_array(stream, "crowded", processes.crowded, [](const CrowdedSocket& socket) {
    return Json{{"inode", socket.inode}, {"holders", socket.holders}};
  });
  write_array(stream, "shown", processes.processes, process);
  if (processes.closed_sockets_at_most)
    stream.field("closed_sockets_at_most", *processes.closed_sockets_at_most);
  stream.field("closed_sockets_denied", processes.closed_sockets_denied);
  stream.end_object();
}

Json memory(const MemoryInfo& memory) {
  Json object = Json::object();
  put(object, "total_bytes", memory.total_bytes);
  put(object, "available_bytes", memory.available_bytes);
  return object;
}

Json file_limit(const UnitFileLimit& limit) {
  Json object = {{"file", limit.file}, {"line", limit.line}, {"value", limit.value}};
  if (!limit.unit.empty()) object["unit"] = limit.unit;
  return object;
}

Json login_limit(const LoginFileLimit& limit) {
  return {{"domain", limit.domain},
          {"type", limit.type},
          {"file", limit.file},
          {"line", limit.line},
          {"value", limit.value}};
}

Json ignored_line(const IgnoredLine& line) {
  constexpr std::string_view kReasons[] = {"no_assignment", "no_limit",      "soft_above_hard",
                                           "empty_limit",   "wrong_section", "misspelt_limit"};
  Json object = {{"file", line.file},
                 {"line", line.line},
                 {"text", line.text},
                 {"because", kReasons[static_cast<std::size_t>(line.because)]}};
  if (!line.unit.empty()) object["unit"] = line.unit;
  return object;
}

Json sysctl_line(const SysctlLine& line) {
  Json object = {{"file", line.file}, {"line", line.line}, {"name", line.name}};
  if (line.excludes) return object;
  object["value"] = line.value;
  object["at_boot"] = line.at_boot;
  put(object, "exists", line.exists);
  return object;
}

void write_host_config(JsonStream& stream, const HostConfig& config) {
  stream.begin_object();
  const auto write_lines = [&](std::string_view key, bool exclusions) {
    stream.key(key);
    stream.begin_array();
    for (const auto& line : config.sysctls)
      if (line.excludes == exclusions) stream.value(sysctl_line(line));
    stream.end_array();
  };
  write_lines("sysctls", false);
  write_lines("exclusions", true);
  write_array(stream, "file_limits", config.file_limits, file_limit);
  if (config.default_file_limit) stream.field("default_file_limit", file_limit(*config.default_file_limit));
  write_array(stream, "login_limits", config.login_limits, login_limit);
  write_array(stream, "ignored", config.ignored, ignored_line);
  stream.field("cut", config.cut);
  write_array(stream, "unread", config.unread, error_value);
  stream.end_object();
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
  Json object = {{"pid", usage.pid},
                 {"cpu_seconds", usage.cpu_seconds},
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

void write_json(const Report& report, const TextSink& sink) {
  const auto& snapshot = report.snapshot;
  std::optional<ListenerOwners> owners;
  if (const auto* known = snapshot.processes.get()) owners.emplace(*known);

  JsonStream stream(sink);
  stream.begin_object();
  stream.field("generated_at", to_rfc3339(report.wall_at));
  stream.field("version", version());
  stream.key("namespaces");
  stream.begin_array();
  for (const auto& netns : snapshot.namespaces) write_namespace(stream, netns, owners ? &*owners : nullptr);
  stream.end_array();
  stream.field("files", section(snapshot.files, files));
  write_section(stream, "processes", snapshot.processes,
                [&](const Processes& share) { write_processes(stream, share); });
  stream.field("softnet", section(snapshot.softnet, softnet));
  stream.field("memory", section(snapshot.memory, memory));
  write_section(stream, "config", snapshot.config,
                [&](const HostConfig& share) { write_host_config(stream, share); });
  stream.field("kernel_log", section(snapshot.kernel_log,
                                     [&](const KernelLog& log) { return kernel_log(log, report.at); }));
  stream.field("self", section(snapshot.self, self));
  write_array(stream, "collectors", report.runs,
              [&](const CollectorRun& run) { return collector_run(run, report.at); });
  stream.field("ticks_late", report.ticks_late);
  if (report.http)
    stream.field("http", {{"connections", report.http->connections},
                          {"refused", report.http->refused},
                          {"dropped", report.http->dropped}});
  stream.end_object();
  stream.finish();
}

std::string to_json_text(const Report& report) {
  std::string text;
  write_json(report, [&](std::string_view piece) { text += piece; });
  return text;
}

nlohmann::ordered_json to_json(const Report& report) { return Json::parse(to_json_text(report)); }

}  // namespace tcpdiag
