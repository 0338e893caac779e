// SPDX-License-Identifier: Apache-2.0
#include "cli/namespaces.h"

#include <algorithm>

#include "cli/table.h"
#include "core/facts/connections.h"
#include "core/facts/listeners.h"
#include "core/facts/netns_list.h"
#include "core/number_text.h"

namespace tcpdiag {
namespace {

const NetnsView* view_of(const Snapshot& snapshot, const FoundNetns& found) {
  if (found.kind == NetnsKind::host) return snapshot.find(NetnsId::host);
  const auto view = std::ranges::find(snapshot.namespaces, found.generation, &NetnsView::generation);
  return view == snapshot.namespaces.end() ? nullptr : &*view;
}

Count listeners_in(const NetnsView* view) {
  const auto* listeners = view == nullptr ? nullptr : view->listeners.get();
  if (listeners == nullptr) return std::nullopt;
  return listeners->listeners.size() + listeners->cut;
}

/// Without the listeners.
Count connections_in(const NetnsView* view) {
  const auto* connections = view == nullptr ? nullptr : view->connections.get();
  const auto listeners = listeners_in(view);
  if (connections == nullptr || !listeners) return std::nullopt;
  return connections->sockets - std::min(connections->sockets, *listeners);
}

/// What of it people know beside its name.
std::string details_of(const FoundNetns& found) {
  std::string text;
  const auto add = [&](const std::string& what, const std::string& value) {
    if (!value.empty()) text += (text.empty() ? "" : ", ") + what + value;
  };
  add("", found.image);
  add("", found.container == found.name ? "" : found.container);
  add("project ", found.compose_project);
  add("", found.mount);
  return text;
}

}  // namespace

std::string namespaces_text(const Report& report, const TextStyle& style) {
  const auto* list = report.snapshot.netns_list.get();
  if (list == nullptr) return {};
  constexpr auto kRight = Align::right;
  Table table({{"NAME", Align::left, 12},
               {"KIND"},
               {"PID", kRight},
               {"PROCESSES", kRight},
               {"LISTENERS", kRight},
               {"CONNECTIONS", kRight},
               {"DETAILS", Align::left, 12}});
  for (const auto& found : list->namespaces) {
    const auto* view = view_of(report.snapshot, found);
    table.add({{found.name},
               {std::string(to_string(found.kind))},
               {found.anchor_pid == 0 ? "-" : std::to_string(found.anchor_pid)},
               {std::to_string(found.processes)},
               {shown(listeners_in(view))},
               {shown(connections_in(view))},
               {details_of(found)}});
  }
  auto text = table.to_text(style);
  if (list->cut != 0) text += "And " + counted(list->cut, "more namespace") + ".\n";
  if (list->unreadable != 0)
    text += "Namespaces of " + std::to_string(list->unreadable) +
            (list->unreadable == 1 ? " process" : " processes") +
            " are not known: that takes root or CAP_SYS_PTRACE.\n";
  return text;
}

}  // namespace tcpdiag
