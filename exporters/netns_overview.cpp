// SPDX-License-Identifier: Apache-2.0
#include "exporters/netns_overview.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "core/facts/connections.h"
#include "core/facts/listeners.h"
#include "core/finding_order.h"
#include "core/time_text.h"
#include "exporters/described_json.h"

namespace tcpdiag {
namespace {

const NetnsView* view_of(const Snapshot& snapshot, const FoundNetns& found) {
  if (found.generation == 0) return snapshot.find(NetnsId::host);
  const auto view = std::ranges::find(snapshot.namespaces, found.generation, &NetnsView::generation);
  return view == snapshot.namespaces.end() ? nullptr : &*view;
}

Count listeners_in(const NetnsView* view) {
  const auto* listeners = view == nullptr ? nullptr : view->listeners.get();
  if (listeners == nullptr) return std::nullopt;
  return listeners->listeners.size() + listeners->cut;
}

Count connections_in(const NetnsView* view) {
  const auto* listeners = view == nullptr ? nullptr : view->listeners.get();
  const auto* connections = view == nullptr ? nullptr : view->connections.get();
  if (connections == nullptr || listeners == nullptr) return std::nullopt;
  std::uint64_t listening = listeners->cut;
  for (const auto& listener : listeners->listeners) listening += listener.sockets.size();
  return connections->sockets - std::min(connections->sockets, listening);
}

/// What is said of each namespace, by its name; that of the machine with that of the daemon's own.
class Judged {
 public:
  explicit Judged(const Report& report) {
    for (const auto* incident : open_incidents(report)) {
      if (is_past(*incident, report.at)) continue;
      const auto& finding = incident->finding;
      auto& all = findings_[place_of(finding.netns)];
      ++all.count;
      if (!all.worst || finding.severity > all.worst->severity)
        all.worst = WorstFinding{.severity = finding.severity, .id = finding.id};
    }
    for (const auto& rule : report.rules)
      if (rule.severity == Severity::critical)
        for (const auto& unknown : rule.unknown) unknown_.insert(place_of(unknown.netns));
    for (const auto& run : report.runs)
      if (!run.has_run() && !run.netns.empty()) unread_.insert(run.netns);
  }

  void write_to(NetnsSummary& netns) const {
    netns.cannot_tell = unknown_.contains(netns.name);
    const auto found = findings_.find(netns.name);
    if (found == findings_.end()) {
      if (netns.state == NetnsState::watched && unread_.contains(netns.name)) netns.state = NetnsState::soon;
      return;
    }
    netns.worst = found->second.worst;
    netns.findings = found->second.count;
  }

 private:
  struct Findings {
    std::optional<WorstFinding> worst;
    std::uint64_t count = 0;
  };

  static std::string place_of(const std::string& netns) { return netns.empty() ? kHostNetns : netns; }

  std::map<std::string, Findings, std::less<>> findings_;
  std::set<std::string, std::less<>> unknown_, unread_;
};

class Writer : public DescribedJson<Writer> {
 public:
  explicit Writer(JsonStream& stream) : DescribedJson(stream) {}
  using DescribedJson::members;
};

}  // namespace

std::optional<NetnsOverview> netns_overview(const Report& report) {
  const auto* list = report.snapshot.netns_list.get();
  if (list == nullptr) return std::nullopt;
  const Judged judged(report);
  NetnsOverview overview{.cut = list->cut, .unreadable = list->unreadable};
  for (const auto& found : list->namespaces) {
    const auto* view = view_of(report.snapshot, found);
    auto& netns = overview.namespaces.emplace_back(
        NetnsSummary{.name = view == nullptr ? found.name : view->name,
                     .kind = found.kind,
                     .state = found.generation == 0 ? NetnsState::watched : found.state,
                     .pid = found.anchor_pid,
                     .processes = found.processes,
                     .listeners = listeners_in(view),
                     .connections = connections_in(view),
                     .image = found.image,
                     .container = found.container,
                     .compose_project = found.compose_project,
                     .mount = found.mount});
    judged.write_to(netns);
  }
  return overview;
}

std::vector<NetnsLeftOut> netns_left_out(const Report& report) {
  const auto* list = report.snapshot.netns_list.get();
  if (list == nullptr) return {};
  std::map<NetnsState, NetnsLeftOut> by_reason;
  for (const auto& found : list->namespaces) {
    if (found.state == NetnsState::watched || found.generation == 0) continue;
    auto& left_out = by_reason[found.state];
    ++left_out.count;
    if (left_out.names.size() < NetnsLeftOut::kNamed) left_out.names.push_back(found.name);
  }
  if (list->cut != 0) by_reason[NetnsState::too_many].count += list->cut;
  std::vector<NetnsLeftOut> all;
  for (auto& [why, left_out] : by_reason) {
    left_out.why = why;
    all.push_back(std::move(left_out));
  }
  return all;
}

void write_netns_json(const Report& report, const TextSink& sink) {
  JsonStream stream(sink);
  Writer writer(stream);
  stream.begin_object();
  stream.field("generated_at", to_rfc3339(report.wall_at));
  if (const auto overview = netns_overview(report))
    writer.members(*overview);
  else
    writer.field("error", report.snapshot.netns_list.value.error());
  stream.end_object();
  stream.finish();
}

std::string netns_json_text(const Report& report) {
  std::string text;
  write_netns_json(report, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace tcpdiag
