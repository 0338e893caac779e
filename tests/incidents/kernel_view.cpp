// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/kernel_view.h"

#include <algorithm>
#include <stdexcept>

#include "collectors/live_source.h"
#include "collectors/netstat.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

template <class T>
T known(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  return std::move(*result);
}

template <class Reader>
auto look(Reader& reader, Source& source) {
  static const Snapshot kNothingKnown{.namespaces = {NetnsView{.name = "stage"}}};
  return known(reader(Reading{.source = source, .now = now(), .previous = kNothingKnown}));
}

PortConnections row_of(const std::vector<PortConnections>& rows, std::uint16_t port) {
  const auto row = std::ranges::find(rows, port, &PortConnections::port);
  return row == rows.end() ? PortConnections{.port = port} : *row;
}

}  // namespace

KernelView::KernelView(const std::string& netns)
    : source_(make_live_source({.netns = netns, .clock = now})), at_start_(counters()) {}

TcpCounters KernelView::counters() { return known(read_tcp_counters(*source_)); }

std::uint64_t KernelView::increase(Count TcpCounters::* counter) {
  const auto was = at_start_.*counter, is = counters().*counter;
  if (!was || !is) throw std::runtime_error("this kernel lacks a counter that the scenario is about");
  return *is - *was;
}

std::optional<Listener> KernelView::listener(std::uint16_t port) {
  const auto all = look(listeners_, *source_).listeners;
  const auto found =
      std::ranges::find_if(all, [port](const Listener& each) { return each.endpoint.port == port; });
  return found == all.end() ? std::nullopt : std::optional(*found);
}

std::uint32_t KernelView::queue(std::uint16_t port) {
  const auto found = listener(port);
  return found ? found->fullest().queue_length : 0;
}

bool KernelView::queue_is_full(std::uint16_t port) {
  const auto found = listener(port);
  return found && fill_ratio(found->fullest()) >= 1;
}

Connections KernelView::connections() { return look(connections_, *source_); }

PortConnections KernelView::server(std::uint16_t port) { return row_of(connections().server, port); }
PortConnections KernelView::client(std::uint16_t port) { return row_of(connections().client, port); }

std::uint32_t KernelView::half_open(std::uint16_t port) {
  std::uint32_t count = 0;
  for (const auto& each : connections().half_open)
    if (each.listener.port == port) count += each.count;
  return count;
}

}  // namespace tcpdiag::incidents
