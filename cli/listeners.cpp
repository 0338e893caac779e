// SPDX-License-Identifier: Apache-2.0
#include "cli/listeners.h"

#include <algorithm>
#include <tuple>

#include "cli/owner_names.h"
#include "cli/table.h"
#include "core/facts/connections.h"

namespace tcpdiag {
namespace {

struct Row {
  const NetnsView* netns;
  const Listener* listener;
};

std::vector<Row> worst_first(const Snapshot& snapshot) {
  std::vector<Row> rows;
  for (const auto& netns : snapshot.namespaces)
    if (const auto* share = netns.listeners.get())
      for (const auto& listener : share->listeners) rows.push_back({&netns, &listener});
  std::ranges::stable_sort(rows, std::greater<>(), [](const Row& row) {
    return std::tuple(fill_ratio(row.listener->fullest()), row.listener->drops, row.listener->peak_length);
  });
  return rows;
}

/// Empty: the connections are not known, or the listener is newer than they are.
Count half_open(const Row& row) {
  const auto* connections = row.netns->connections.get();
  if (connections == nullptr) return std::nullopt;
  const auto& all = connections->half_open;
  const auto found = std::ranges::lower_bound(all, row.listener->endpoint, {}, &HalfOpen::listener);
  if (found == all.end() || found->listener != row.listener->endpoint) return std::nullopt;
  return found->count;
}

std::string sockets_text(const Listener& listener) {
  const auto full = std::ranges::count_if(listener.sockets, is_full);
  auto text = std::to_string(listener.sockets.size());
  if (full != 0 && listener.sockets.size() > 1) text += " (" + std::to_string(full) + " full)";
  return text;
}

std::vector<Cell> cells_of(const Row& row, const OwnerNames& owners) {
  const auto& listener = *row.listener;
  const auto& fullest = listener.fullest();
  const auto fill = fill_ratio(fullest);
  const auto tone = tone_of_share(fill);
  return {{row.netns->name},
          {address_and_port(listener.endpoint)},
          {std::to_string(fullest.queue_length) + "/" + std::to_string(fullest.queue_limit), tone},
          {shown_share(fill), tone},
          {std::to_string(listener.peak_length)},
          {shown(listener.drops), listener.drops > Count(0) ? Tone::warning : Tone::plain},
          {shown(half_open(row))},
          {sockets_text(listener)},
          {owners.process(listener)},
          {owners.unit(listener)}};
}

Table empty_table(bool with_netns) {
  constexpr auto kRight = Align::right;
  return Table({{"NETNS", Align::left, 8, with_netns},
                {"ADDRESS", Align::left, 20, true, Cut::middle},
                {"QUEUE", kRight},
                {"FILL", kRight},
                {"PEAK", kRight},
                {"DROPS", kRight},
                {"HALF-OPEN", kRight},
                {"SOCKETS"},
                {"PROCESS", Align::left, 8},
                {"UNIT", Align::left, 8}});
}

}  // namespace

std::string address_and_port(const Endpoint& endpoint) {
  const auto address = address_label(endpoint);
  return (endpoint.address.v6 ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port);
}

std::string address_and_port(const IpAddress& address, std::uint16_t port) {
  return address_and_port(Endpoint{.address = address, .port = port});
}

std::string listeners_text(const Report& report, const TextStyle& style) {
  const auto& snapshot = report.snapshot;
  const OwnerNames owners(snapshot);
  auto table = empty_table(snapshot.namespaces.size() > 1);
  for (const auto& row : worst_first(snapshot)) table.add(cells_of(row, owners));

  const auto known = std::ranges::any_of(snapshot.namespaces,
                                         [](const NetnsView& netns) { return netns.listeners.known(); });
  auto text = !table.empty() ? table.to_text(style) : known ? "Nothing is listening.\n" : "";
  std::uint64_t cut = 0;
  for (const auto& netns : snapshot.namespaces)
    if (const auto* share = netns.listeners.get()) cut += share->cut;
  if (cut != 0) text += "And " + std::to_string(cut) + " more listening sockets.\n";
  return text;
}

}  // namespace tcpdiag
