// SPDX-License-Identifier: Apache-2.0
#include "exporters/findings_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/facts/connections.h"
#include "core/facts/listeners.h"
#include "core/finding_order.h"
#include "core/saturating.h"
#include "core/time_text.h"
#include "exporters/json_stream.h"
#include "exporters/json_text.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::ordered_json;

// A whole number is written without a decimal point.
Json number(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (value == std::floor(value) && std::abs(value) <= kExact) return static_cast<std::int64_t>(value);
  return value;
}

void put_text(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

Json subject_json(const Subject& subject) {
  Json object = {{"kind", to_string(subject.kind)}};
  put_text(object, "address", subject.address);
  if (subject.port) object["port"] = *subject.port;
  put_text(object, "name", subject.name);
  put_text(object, "process", subject.process);
  if (subject.pid) object["pid"] = *subject.pid;
  put_text(object, "unit", to_string(subject.owner));
  if (subject.owner.kind != OwnerKind::none) object["unit_kind"] = to_string(subject.owner.kind);
  return object;
}

Json evidence_json(const Evidence& evidence) {
  Json object = {{"name", evidence.name}, {"value", number(evidence.value)}};
  put_text(object, "unit", evidence.unit);
  if (evidence.window) object["window_seconds"] = evidence.window->count();
  return object;
}

Json bites_json(const Bites& bites) {
  Json object = {{"limit", bites.limit}, {"value", number(bites.value)}};
  put_text(object, "ceiling", bites.ceiling);
  if (bites.ceiling_value) object["ceiling_value"] = number(*bites.ceiling_value);
  return object;
}

Json advice_json(const Advice& advice) {
  Json object = {{"do", advice.action}};
  put_text(object, "command", advice.command);
  put_text(object, "effect", advice.effect);
  put_text(object, "risk", advice.risk);
  return object;
}

template <class T, class ToJson>
Json list_json(const std::vector<T>& values, ToJson to_json) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(to_json(value));
  return list;
}

Json same(const std::string& text) { return text; }

Json unknown_json(const Unknown& unknown, Severity severity) {
  Json object = {{"id", unknown.id}, {"severity", to_string(severity)}};
  put_text(object, "netns", unknown.netns);
  object["why"] = unknown.why;
  object["code"] = to_string(unknown.code);
  put_text(object, "source", unknown.source);
  if (unknown.in_part) object["in_part"] = true;
  return object;
}

Json unknowns_json(const Report& report) {
  Json list = Json::array();
  for (const auto& rule : report.rules)
    for (const auto& unknown : rule.unknown) list.push_back(unknown_json(unknown, rule.severity));
  return list;
}

std::uint64_t connections_of(const Connections& connections) {
  auto total = connections.client_other.total();
  for (const auto* ports : {&connections.server, &connections.client})
    for (const auto& port : *ports) total += port.total();
  return total;
}

/// How much there was to look at. What is not known of any namespace is left out.
Json watched_json(const Report& report) {
  Json object = Json::object();
  if (report.judged_since)
    object["seconds"] = std::chrono::round<std::chrono::seconds>(report.at - *report.judged_since).count();
  object["namespaces"] = report.snapshot.namespaces.size();
  Count listeners, connections;
  for (const auto& netns : report.snapshot.namespaces) {
    if (const auto* share = netns.listeners.get())
      listeners = saturating_add(listeners.value_or(0),  // the first one that is known
                                 saturating_add<std::uint64_t>(share->listeners.size(), share->cut));
    if (const auto* share = netns.connections.get())
      connections = connections.value_or(0) + connections_of(*share);
  }
  constexpr auto kMost = std::uint64_t{1} << 53U;  // what every reader of JSON takes exactly
  if (listeners) object["listeners"] = std::min(*listeners, kMost);
  if (connections) object["connections"] = *connections;
  return object;
}

Json incident_json(const Incident& incident) {
  Json object = {{"open", incident.is_open()},
                 {"opened_at", to_rfc3339(incident.opened.wall)},
                 {"seen_at", to_rfc3339(incident.seen.wall)}};
  if (incident.closed) object["closed_at"] = to_rfc3339(incident.closed->wall);
  put_text(object, "closed_by", incident.closed_by);
  if (incident.blind) object["blind"] = true;
  object["finding"] = finding_json(incident);
  return object;
}

}  // namespace

nlohmann::ordered_json finding_json(const Incident& incident) {
  const auto& finding = incident.finding;
  Json object = {{"id", finding.id}};
  put_text(object, "title", finding.title);
  object["severity"] = to_string(finding.severity);
  put_text(object, "netns", finding.netns);
  object["since"] = to_rfc3339(incident.opened.wall);
  object["subject"] = subject_json(finding.subject);
  object["summary"] = finding.summary;
  if (finding.alike != 0) object["alike"] = finding.alike;
  object["evidence"] = list_json(finding.evidence, evidence_json);
  if (finding.bites) object["bites"] = bites_json(*finding.bites);
  object["advice"] = list_json(finding.advice, advice_json);
  object["not"] = list_json(finding.not_helping, same);
  object["consequences"] = list_json(finding.consequences, same);
  object["docs"] = "reference/findings.md#" + finding.id;
  return object;
}

void write_findings_json(const Report& report, const TextSink& sink) {
  JsonStream stream(sink);
  stream.begin_object();
  stream.field("generated_at", to_rfc3339(report.wall_at));
  stream.key("findings");
  stream.begin_array();
  for (const auto* incident : in_reading_order(open_incidents(report), report.at)) {
    auto finding = finding_json(*incident);
    if (is_past(*incident, report.at)) finding["last_seen"] = to_rfc3339(incident->seen.wall);
    stream.tree(finding);
  }
  stream.end_array();
  if (report.findings_cut != 0) stream.field("cut", report.findings_cut);
  stream.key("unknown");
  stream.tree(unknowns_json(report));
  stream.key("watched");
  stream.tree(watched_json(report));
  stream.end_object();
  stream.finish();
}

void write_incidents_json(const Report& report, const TextSink& sink) {
  JsonStream stream(sink);
  stream.begin_object();
  stream.field("generated_at", to_rfc3339(report.wall_at));
  stream.key("incidents");
  stream.begin_array();
  for (const auto& incident : report.incidents) stream.tree(incident_json(incident));
  stream.end_array();
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

std::string finding_json_line(const Incident& incident) { return json_text(finding_json(incident), -1); }

}  // namespace tcpdiag
