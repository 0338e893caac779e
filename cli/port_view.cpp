// SPDX-License-Identifier: Apache-2.0
#include "cli/port_view.h"

#include <algorithm>
#include <memory>
#include <span>

#include "cli/connection_rows.h"
#include "cli/connections.h"
#include "cli/listeners.h"
#include "cli/owner_names.h"
#include "cli/table.h"

namespace tcpdiag {
namespace {

/// A copy of the section without what `drop` takes out; an error stays what it is.
template <class T, class Drop>
void reduce(Section<T>& section, Drop drop) {
  const auto* value = section.get();
  if (value == nullptr) return;
  auto reduced = std::make_shared<T>(*value);
  drop(*reduced);
  section.value = std::shared_ptr<const T>(std::move(reduced));
}

/// What is to be said about the connections of one state beside their number.
std::string note_of(const ConnectionRow& row, TcpState state) {
  if (state == TcpState::close_wait)
    if (const auto* oldest = oldest_close_wait(row)) return "the oldest for " + age_of(*oldest, *row.netns);
  const auto orphaned = row.connections->fin_wait2_orphaned;
  if (state == TcpState::fin_wait2 && orphaned != 0) return std::to_string(orphaned) + " held by no process";
  return {};
}

void add_states(const ConnectionRow& row, Table& table) {
  const std::string role = row.server ? "server" : "client";
  for (std::size_t number = 1; number < kTcpStates; ++number) {
    const auto state = static_cast<TcpState>(number);
    const auto count = row.connections->count(state);
    if (count == 0 || state == TcpState::listen) continue;
    const auto tone = state == TcpState::close_wait ? Tone::warning : Tone::plain;
    table.add({{row.netns->name},
               {role},
               {std::string(to_string(state))},
               {std::to_string(count), tone},
               {note_of(row, state)}});
  }
  if (row.connections->unaccepted != 0)
    table.add({{row.netns->name},
               {role},
               {"not accepted yet"},
               {std::to_string(row.connections->unaccepted), Tone::warning},
               {"also counted above"}});
  if (row.connections->unread != 0)
    table.add({{row.netns->name},
               {role},
               {"with unread data"},
               {std::to_string(row.connections->unread)},
               {"also counted above"}});
}

std::string states_text(const Report& report, const TextStyle& style) {
  Table table({{"NETNS", Align::left, 8, report.snapshot.namespaces.size() > 1},
               {"ROLE"},
               {"STATE"},
               {"CONNECTIONS", Align::right},
               {""}});
  for (const bool server : {true, false})
    for (const auto& row : connection_rows(report.snapshot, server))
      if (!row.other) add_states(row, table);
  return table.empty() ? "" : table.to_text(style);
}

std::string port_listeners_text(const Report& report, const TextStyle& style) {
  const bool any = std::ranges::any_of(report.snapshot.namespaces, [](const NetnsView& netns) {
    return netns.listeners.known() && !netns.listeners.get()->listeners.empty();
  });
  return any ? toned("Listeners", Tone::heading, style) + "\n" + listeners_text(report, style) : "";
}

std::string close_waits_text(const Report& report, const ClosedByPeer& closed, const TextStyle& style) {
  const OwnerNames owners(report.snapshot);
  Table table({{"NETNS", Align::left, 8, report.snapshot.namespaces.size() > 1},
               {"ROLE"},
               {"AGE", Align::right},
               {"PEER", Align::left, 20, true, Cut::middle},
               {"HELD BY", Align::left, 8},
               {"FD", Align::right},
               {"INODE", Align::right}});
  for (const auto& netns : report.snapshot.namespaces) {
    const auto* share = netns.connections.get();
    if (share == nullptr) continue;
    const auto oldest = std::span(share->close_wait).first(std::min(kOldestShown, share->close_wait.size()));
    for (const auto& socket : oldest) {
      const auto found = closed.find({netns.name, socket.inode});
      const auto known = found == closed.end() ? ClosedSocket() : found->second;
      table.add({{netns.name},
                 {socket.server ? "server" : "client"},
                 {age_of(socket, netns)},
                 {known.peer.empty() ? "?" : known.peer},
                 {owners.close_wait_holder(socket.inode)},
                 {known.fd ? std::to_string(*known.fd) : "?"},
                 {std::to_string(socket.inode)}});
    }
  }
  if (table.empty()) return {};
  return toned("Oldest in CLOSE_WAIT", Tone::heading, style) + "\n" + table.to_text(style);
}

/// What connections there may be beyond those that are told.
std::string beyond_text(const Report& report) {
  std::uint64_t other = 0;
  for (const auto& netns : report.snapshot.namespaces)
    if (const auto* share = netns.connections.get();
        share != nullptr && share->client.empty() && share->server.empty())
      other += share->client_other.total();
  if (other == 0) return {};
  return std::to_string(other) + " client connections to ports beyond the busiest " +
         std::to_string(Connections::kClientPorts) + " are not listed separately.\n";
}

}  // namespace

Report only_port(Report report, std::uint16_t port) {
  const auto drop = [port](auto& list) {
    std::erase_if(list, [port](const auto& row) { return row.port != port; });
  };
  for (auto& netns : report.snapshot.namespaces) {
    reduce(netns.listeners, [&](Listeners& listeners) {
      std::erase_if(listeners.listeners, [&](const Listener& each) { return each.endpoint.port != port; });
    });
    reduce(netns.connections, [&](Connections& connections) {
      for (auto* rows : {&connections.server, &connections.client}) drop(*rows);
      for (auto* rows : {&connections.destinations, &connections.unanswered}) drop(*rows);
      drop(connections.close_wait);
      std::erase_if(connections.half_open, [&](const HalfOpen& each) { return each.listener.port != port; });
    });
  }
  return report;
}

std::string port_text(const Report& report, std::uint16_t port, const ClosedByPeer& closed,
                      const TextStyle& style) {
  const auto text = joined_tables({states_text(report, style), port_listeners_text(report, style),
                                   close_waits_text(report, closed, style),
                                   destinations_text(report, Connections::kDestinations, style)});
  const bool known = std::ranges::any_of(report.snapshot.namespaces,
                                         [](const NetnsView& netns) { return netns.connections.known(); });
  if (text.empty() && known)
    return "No connection and no listener on port " + std::to_string(port) + ".\n" + beyond_text(report);
  return joined_tables({text, known ? beyond_text(report) : ""});
}

}  // namespace tcpdiag
