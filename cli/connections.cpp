// SPDX-License-Identifier: Apache-2.0
#include "cli/connections.h"

#include <algorithm>
#include <functional>
#include <span>

#include "cli/connection_rows.h"
#include "cli/listeners.h"
#include "cli/owner_names.h"
#include "cli/table.h"
#include "core/ephemeral_ports.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kBusiest = 5;  // destinations

std::string owner_of(const ConnectionRow& row, const OwnerNames& owners) {
  if (!row.server) {
    const auto* oldest = oldest_close_wait(row);
    return oldest == nullptr ? "-" : owners.close_wait_holder(oldest->inode);
  }
  const auto* listeners = row.netns->listeners.get();
  if (listeners == nullptr) return "?";
  const auto& all = listeners->listeners;
  const auto found =
      std::ranges::find(all, row.connections->port, [](const Listener& l) { return l.endpoint.port; });
  return found == all.end() ? "-" : owners.process(*found);
}

Cell count_cell(std::uint64_t count, Tone when_any = Tone::plain) {
  return {std::to_string(count), count == 0 ? Tone::plain : when_any};
}

/// Of the two states of an unfinished handshake each role normally has one; the other one is counted under
/// OTHER.
std::vector<Cell> cells_of(const ConnectionRow& row, const OwnerNames& owners) {
  using enum TcpState;
  const auto& port = *row.connections;
  const auto* oldest = oldest_close_wait(row);
  return {{row.netns->name},
          {row.other ? "other" : std::to_string(port.port)},
          count_cell(port.count(established)),
          count_cell(port.count(row.server ? syn_recv : syn_sent)),
          count_cell(port.count(time_wait)),
          count_cell(port.count(close_wait), Tone::warning),
          {oldest == nullptr ? "-" : age_of(*oldest, *row.netns)},
          count_cell(in_states(port, {fin_wait1, fin_wait2})),
          count_cell(in_states(port, {close, last_ack, closing, row.server ? syn_sent : syn_recv})),
          count_cell(port.unaccepted, Tone::warning),
          {owner_of(row, owners)}};
}

Table empty_table(bool server, bool with_netns) {
  constexpr auto kRight = Align::right;
  return Table({{"NETNS", Align::left, 8, with_netns},
                {"PORT", kRight},
                {"ESTAB", kRight},
                {server ? "SYN_RECV" : "SYN_SENT", kRight},
                {"TIME_WAIT", kRight},
                {"CLOSE_WAIT", kRight},
                {"OLDEST", kRight},
                {"FIN_WAIT", kRight},
                {"OTHER", kRight},
                {"UNACCEPTED", kRight, 0, server},
                {server ? "OWNER" : "HELD BY", Align::left, 8}});
}

std::string role_text(const Report& report, bool server, const TextStyle& style) {
  const OwnerNames owners(report.snapshot);
  auto table = empty_table(server, report.snapshot.namespaces.size() > 1);
  for (const auto& row : connection_rows(report.snapshot, server)) table.add(cells_of(row, owners));
  if (table.empty()) return {};
  const auto* title = server ? "Server: by local port" : "Client: by remote port";
  return toned(title, Tone::heading, style) + "\n" + table.to_text(style);
}

}  // namespace

std::string destinations_text(const Report& report, std::size_t most, const TextStyle& style) {
  constexpr auto kRight = Align::right;
  Table table({{"NETNS", Align::left, 8, report.snapshot.namespaces.size() > 1},
               {"FROM", Align::left, 16},
               {"TO", Align::left, 20, true, Cut::middle},
               {"LOCAL PORTS", kRight},
               {"OF", kRight},
               {"SHARE", kRight}});
  std::uint32_t undercount = 0;
  for (const auto& netns : report.snapshot.namespaces) {
    const auto* share = netns.connections.get();
    if (share == nullptr) continue;
    const auto* settings = netns.settings.get();
    const auto range = settings == nullptr ? Count() : ephemeral_ports(*settings);
    auto busiest = share->destinations;
    std::ranges::stable_sort(busiest, std::greater<>(), &Destination::local_ports);
    busiest.resize(std::min(most, busiest.size()));
    if (!busiest.empty()) undercount = std::max(undercount, share->destination_undercount);
    for (const auto& to : busiest) {
      const auto ratio =
          range > Count(0) ? std::optional(to.local_ports / static_cast<double>(*range)) : std::nullopt;
      table.add({{netns.name},
                 {to_string(to.source)},
                 {address_and_port(Endpoint{.address = to.destination, .port = to.port})},
                 {std::to_string(to.local_ports)},
                 {shown(range)},
                 {shown_share(ratio), tone_of_share(ratio)}});
    }
  }
  if (table.empty()) return {};
  auto text = toned("Ephemeral ports by destination", Tone::heading, style) + "\n" + table.to_text(style);
  if (undercount != 0) text += "Each may use up to " + std::to_string(undercount) + " more.\n";
  return text;
}

std::string joined_tables(const std::vector<std::string>& tables) {
  std::string all;
  for (const auto& table : tables) {
    if (!all.empty() && !table.empty()) all += "\n";
    all += table;
  }
  return all;
}

std::string connections_text(const Report& report, const TextStyle& style) {
  const auto& namespaces = report.snapshot.namespaces;
  auto text = joined_tables({role_text(report, true, style), role_text(report, false, style),
                             destinations_text(report, kBusiest, style)});
  const bool known =
      std::ranges::any_of(namespaces, [](const NetnsView& n) { return n.connections.known(); });
  return text.empty() && known ? "There are no connections.\n" : text;
}

}  // namespace tcpdiag
