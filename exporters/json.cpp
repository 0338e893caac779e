// SPDX-License-Identifier: Apache-2.0
#include "exporters/json.h"

#include <algorithm>
#include <span>

#include "core/ephemeral_ports.h"
#include "core/owners.h"
#include "core/sections.h"
#include "core/sysctls.h"
#include "core/time_text.h"
#include "core/version.h"
#include "exporters/described_json.h"

namespace tcpdiag {
namespace {

using Names = std::initializer_list<std::string_view>;

constexpr std::size_t kCloseWaitsShown = 100;

double seconds(std::chrono::duration<double> duration) { return duration.count(); }

// Every section as members_of() describes it; what readers know in another form has an overload.
class Writer : public DescribedJson<Writer> {
 public:
  Writer(JsonStream& stream, TimePoint now, const ListenerOwners* owners)
      : DescribedJson(stream), now_(now), owners_(owners) {}

  using DescribedJson::field;
  using DescribedJson::write;
  /// A role is a bool: whether this end is the server.
  void field(std::string_view name, bool value) {
    if (name == "role") return field(name, std::string_view(value ? "server" : "client"));
    stream_.key(name);
    stream_.value(value);
  }
  void field(std::string_view, const Endpoint& endpoint) {
    field("address", address_label(endpoint));
    field("port", endpoint.port);
  }
  void field(std::string_view, const Owner& owner) {
    field("unit", to_string(owner));
    field("unit_kind", to_string(owner.kind));
  }
  void field(std::string_view name, const std::vector<CloseWait>& sockets) {
    const auto shown = std::min(sockets.size(), kCloseWaitsShown);
    stream_.key(name);
    stream_.begin_object();
    field("oldest", std::span(sockets).first(shown));
    field("cut", sockets.size() - shown + close_wait_cut_);
    stream_.end_object();
  }
  /// How long ago.
  void field(std::string_view name, TimePoint at) {
    if (at != TimePoint()) field(name, seconds(now_ - at));
  }
  /// The section, or its error.
  template <class T>
  void field(std::string_view name, const Section<T>& section) {
    if (const auto* value = section.get()) return field(name, *value);
    stream_.key(name);
    stream_.begin_object();
    field("error", section.value.error());
    stream_.end_object();
  }

  void write(const NetnsView& netns) {
    read_at_ = netns.connections.read_at;
    write_object(netns);
  }

 private:
  friend class DescribedJson<Writer>;

  void write(const IpAddress& address) { stream_.value(to_string(address)); }
  void write(std::chrono::milliseconds time) { stream_.value(seconds(time)); }
  void write(char letter) { stream_.value(std::string(1, letter)); }

  void write(const std::array<std::uint32_t, kTcpStates>& by_state) {
    stream_.begin_object();
    for (std::size_t state = 1; state < kTcpStates; ++state)
      if (const auto shown = static_cast<TcpState>(state); shown != TcpState::listen)
        field(to_string(shown), by_state[state]);
    stream_.end_object();
  }
  void write(const std::array<std::uint64_t, kKernelEventKinds>& counts) {
    stream_.begin_object();
    for (std::size_t kind = 0; kind < counts.size(); ++kind)
      field(to_string(static_cast<KernelEventKind>(kind)), counts[kind]);
    stream_.end_object();
  }

  void write(const TcpCounters& counters) {
    stream_.begin_object();
    for (const auto& spec : tcp_counter_table()) field(spec.name, counters.*spec.member);
    stream_.end_object();
  }

  void write(const Listener& listener) {
    stream_.begin_object();
    members(listener);
    if (owners_ != nullptr) {
      stream_.key("owners");
      stream_.begin_array();
      for (const auto* owner : owners_->all(listener)) {
        stream_.begin_object();
        field("pid", owner->pid);
        field("process", owner->comm);
        field("", owner->owner);
        stream_.end_object();
      }
      stream_.end_array();
    }
    stream_.end_object();
  }

  // Of clients' ports nothing is un-accepted, and what is not read is not counted.
  void write_client(const PortConnections& row, Names left_out) {
    stream_.begin_object();
    members(row, left_out);
    stream_.end_object();
  }
  void write(const Connections& connections) {
    const auto now = std::exchange(now_, read_at_);
    close_wait_cut_ = connections.close_wait_cut;
    stream_.begin_object();
    members(connections, {"client", "client_other"});
    stream_.key("client");
    stream_.begin_array();
    for (const auto& row : connections.client)
      write_client(row, {"accepted", "unread", "unaccepted", "unwatched"});
    stream_.end_array();
    stream_.key("client_other");
    write_client(connections.client_other, {"port", "accepted", "unread", "unaccepted", "unwatched"});
    stream_.end_object();
    now_ = now;
  }

  void write(const Sysctl& sysctl) {
    const auto* spec = find_sysctl(sysctl.name);
    const bool is_word = spec == nullptr || spec->form != SysctlForm::numbers || sysctl.values.empty();
    if (is_word)
      write(sysctl.text);
    else if (sysctl.values.size() == 1)
      write(sysctl.values.front());
    else
      write(sysctl.values);
  }
  void write(const Settings& settings) {
    stream_.begin_object();
    stream_.key("sysctls");
    stream_.begin_object();
    for (const auto& sysctl : settings.sysctls) field(sysctl.name, sysctl);
    stream_.end_object();
    field("ephemeral_ports", ephemeral_ports(settings));
    if (!settings.unread.empty()) {
      stream_.key("unread");
      stream_.begin_object();
      for (const auto& unread : settings.unread) field(unread.name, unread.error);
      stream_.end_object();
    }
    stream_.end_object();
  }

  void write_lines(std::string_view name, const std::vector<SysctlLine>& lines, bool exclusions) {
    stream_.key(name);
    stream_.begin_array();
    for (const auto& line : lines) {
      if (line.excludes != exclusions) continue;
      stream_.begin_object();
      members(line, exclusions ? Names{"value", "exists", "excludes", "at_boot"} : Names{"excludes"});
      stream_.end_object();
    }
    stream_.end_array();
  }
  void write(const HostConfig& config) {
    stream_.begin_object();
    write_lines("sysctls", config.sysctls, false);
    write_lines("exclusions", config.sysctls, true);
    members(config, {"sysctls"});
    stream_.end_object();
  }

  void write(const CollectorRun& run) {
    stream_.begin_object();
    field("name", run.collector);
    if (!run.netns.empty()) field("netns", run.netns);
    field("success", run.outcome.has_value());
    if (!run.outcome) field("error", run.outcome.error());
    if (run.has_run()) {
      field("duration_seconds", seconds(run.duration));
      field("cpu_seconds", seconds(run.cpu));
    }
    field("period_seconds", seconds(run.period));
    if (run.succeeded_at) field("age_seconds", seconds(now_ - *run.succeeded_at));
    stream_.end_object();
  }
  void write(const HttpUsage& http) {
    stream_.begin_object();
    field("connections", http.connections);
    field("refused", http.refused);
    field("dropped", http.dropped);
    stream_.end_object();
  }

  TimePoint now_;  // that ages are counted to
  TimePoint read_at_;
  std::uint64_t close_wait_cut_ = 0;
  const ListenerOwners* owners_;
};

}  // namespace

void write_json(const Report& report, const TextSink& sink) {
  const auto& snapshot = report.snapshot;
  std::optional<ListenerOwners> owners;
  if (const auto* known = snapshot.processes.get()) owners.emplace(*known);

  JsonStream stream(sink);
  Writer writer(stream, report.at, owners ? &*owners : nullptr);
  stream.begin_object();
  stream.field("generated_at", to_rfc3339(report.wall_at));
  stream.field("version", version());
  writer.field("namespaces", snapshot.namespaces);
  for_each_section(snapshot,
                   [&](const auto& member, const auto& section) { writer.field(member.name, section); });
  writer.field("collectors", report.runs);
  writer.field("ticks_late", report.ticks_late);
  writer.field("http", report.http);
  stream.end_object();
  stream.finish();
}

std::string to_json_text(const Report& report) {
  std::string text;
  write_json(report, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace tcpdiag
