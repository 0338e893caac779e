// SPDX-License-Identifier: Apache-2.0
#include "core/finding.h"

#include <algorithm>
#include <functional>

#include "core/fair_share.h"

namespace tcpdiag {
namespace {

std::string address_and_port(const Subject& subject) {
  if (!subject.port) return subject.address;
  const bool v6 = subject.address.find(':') != std::string::npos;
  const auto address = v6 ? "[" + subject.address + "]" : subject.address;
  return address + ":" + std::to_string(*subject.port);
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::critical: return "critical";
  }
  return "";
}

std::string_view to_string(SubjectKind kind) {
  switch (kind) {
    case SubjectKind::host: return "host";
    case SubjectKind::netns: return "netns";
    case SubjectKind::listener: return "listener";
    case SubjectKind::destination: return "destination";
    case SubjectKind::process: return "process";
    case SubjectKind::setting: return "setting";
  }
  return "";
}

std::string process_text(const Subject& subject) {
  if (!subject.pid) return subject.process;
  const auto pid = std::to_string(*subject.pid);
  return subject.process.empty() ? "pid " + pid : subject.process + "[" + pid + "]";
}

std::string to_string(const Subject& subject) {
  switch (subject.kind) {
    case SubjectKind::host:
    case SubjectKind::netns: return "";
    case SubjectKind::listener:
    case SubjectKind::destination: return address_and_port(subject);
    case SubjectKind::process: return process_text(subject);
    case SubjectKind::setting: return subject.name;
  }
  return "";
}

SubjectOwner owner_of(const Subject& subject) {
  auto owner = to_string(subject.owner);
  if (owner.empty()) owner = subject.process;
  return {subject.uid, std::move(owner)};
}

std::vector<const Incident*> worst_of(std::vector<const Incident*> incidents, std::size_t most) {
  if (incidents.size() <= most) return incidents;
  std::vector<std::pair<std::size_t, const Incident*>> in_turn;
  in_turn.reserve(incidents.size());
  for (const auto* incident : incidents) in_turn.emplace_back(in_turn.size(), incident);
  const auto subject = [](const auto& each) -> const Subject& { return each.second->finding.subject; };
  share_out(in_turn, [&](const auto& each) { return owner_of(subject(each)); });
  share_out(in_turn,
            [&](const auto& each) { return std::pair(each.second->finding.netns, subject(each).uid); });
  std::ranges::stable_sort(in_turn, std::greater<>(),
                           [](const auto& each) { return each.second->finding.severity; });
  in_turn.resize(most);
  std::ranges::sort(in_turn);
  incidents.clear();
  for (const auto& [place, incident] : in_turn) incidents.push_back(incident);
  return incidents;
}

bool was_known_as(const Finding& finding, const Subject& subject) {
  return std::ranges::any_of(finding.known_as, [&](const Subject& former) {
    return former.kind == subject.kind && former.port == subject.port && former.name == subject.name &&
           (former.address == subject.address || former.address.empty() || subject.address.empty());
  });
}

}  // namespace tcpdiag
