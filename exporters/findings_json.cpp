// SPDX-License-Identifier: Apache-2.0
#include "exporters/findings_json.h"

#include <algorithm>
#include <cmath>

#include "core/facts/connections.h"
#include "core/facts/listeners.h"
#include "core/facts/netns_list.h"
#include "core/finding_order.h"
#include "core/saturating.h"
#include "core/time_text.h"
#include "exporters/described_json.h"
#include "exporters/netns_overview.h"

namespace tcpdiag {
namespace {

class Writer : public DescribedJson<Writer> {
 public:
  explicit Writer(JsonStream& stream) : DescribedJson(stream) {}
  using DescribedJson::field;
  using DescribedJson::write;

  void field(std::string_view, const Owner& owner) {
    const auto label = to_string(owner);
    if (!label.empty()) field("unit", label);
    if (owner.kind != OwnerKind::none) field("unit_kind", owner.kind);
  }

  // A whole number is written without a decimal point.
  void write(double value) {
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (value == std::floor(value) && std::abs(value) <= kExact)
      stream_.value(static_cast<std::int64_t>(value));
    else
      stream_.value(value);
  }

  /// A finding with when it was first seen and, where it is not seen now, last.
  void write_finding(const Incident& incident, bool is_past) {
    const auto& finding = incident.finding;
    stream_.begin_object();
    members(finding);
    field("since", to_rfc3339(incident.opened.wall));
    if (is_past) field("last_seen", to_rfc3339(incident.seen.wall));
    field("docs", "reference/findings.md#" + finding.id);
    stream_.end_object();
  }

  void write(const Incident& incident) {
    stream_.begin_object();
    field("open", incident.is_open());
    field("opened_at", to_rfc3339(incident.opened.wall));
    field("seen_at", to_rfc3339(incident.seen.wall));
    if (incident.closed) field("closed_at", to_rfc3339(incident.closed->wall));
    if (!incident.closed_by.empty()) field("closed_by", incident.closed_by);
    if (incident.blind) field("blind", true);
    stream_.key("finding");
    write_finding(incident, false);
    stream_.end_object();
  }

  void write_unknowns(const Report& report) {
    stream_.begin_array();
    for (const auto& rule : report.rules) {
      for (const auto& unknown : rule.unknown) {
        stream_.begin_object();
        members(unknown);
        field("severity", rule.severity);
        stream_.end_object();
      }
    }
    stream_.end_array();
  }

  void write_watched(const Report& report);
};

std::uint64_t connections_of(const Connections& connections) {
  auto total = connections.client_other.total();
  for (const auto* ports : {&connections.server, &connections.client})
    for (const auto& port : *ports) total += port.total();
  return total;
}

/// How much there was to look at. What is not known of any namespace is left out.
void Writer::write_watched(const Report& report) {
  Count listeners, connections;
  for (const auto& netns : report.snapshot.namespaces) {
    if (const auto* share = netns.listeners.get())
      listeners = saturating_add(listeners.value_or(0),  // the first one that is known
                                 saturating_add<std::uint64_t>(share->listeners.size(), share->cut));
    if (const auto* share = netns.connections.get())
      connections = connections.value_or(0) + connections_of(*share);
  }
  constexpr auto kMost = std::uint64_t{1} << 53U;  // what every reader of JSON takes exactly
  stream_.begin_object();
  if (report.judged_since)
    field("seconds", std::chrono::round<std::chrono::seconds>(report.at - *report.judged_since));
  field("namespaces", report.snapshot.namespaces.size());
  if (listeners) field("listeners", std::min(*listeners, kMost));
  field("connections", connections);
  if (const auto* list = report.snapshot.netns_list.get(); list != nullptr && list->unreadable != 0)
    field("unasked_processes", list->unreadable);
  stream_.end_object();
}

}  // namespace

void write_findings_json(const Report& report, const TextSink& sink) {
  JsonStream stream(sink);
  Writer writer(stream);
  stream.begin_object();
  stream.field("generated_at", to_rfc3339(report.wall_at));
  stream.key("findings");
  stream.begin_array();
  for (const auto* incident : in_reading_order(open_incidents(report), report.at))
    writer.write_finding(*incident, is_past(*incident, report.at));
  stream.end_array();
  if (report.findings_cut != 0) stream.field("cut", report.findings_cut);
  stream.key("unknown");
  writer.write_unknowns(report);
  stream.key("watched");
  writer.write_watched(report);
  writer.field("left_out", netns_left_out(report));
  stream.end_object();
  stream.finish();
}

void write_incidents_json(const Report& report, const TextSink& sink) {
  JsonStream stream(sink);
  Writer writer(stream);
  stream.begin_object();
  stream.field("generated_at", to_rfc3339(report.wall_at));
  writer.field("incidents", report.incidents);
  stream.end_object();
  stream.finish();
}

std::string findings_json_text(const Report& report) {
  std::string text;
  write_findings_json(report, [&](std::string_view piece) { text += piece; });
  return text;
}

std::string incidents_json_text(const Report& report) {
  std::string text;
  write_incidents_json(report, [&](std::string_view piece) { text += piece; });
  return text;
}

std::string finding_json_line(const Incident& incident) {
  std::string text;
  JsonStream stream([&](std::string_view piece) { text += piece; }, -1);
  Writer(stream).write_finding(incident, false);
  stream.finish();
  return text;
}

}  // namespace tcpdiag
