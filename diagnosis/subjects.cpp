// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/subjects.h"

#include <algorithm>
#include <map>

#include "core/owners.h"

namespace tcpdiag {

Subject listener_subject(const Window& window, const Listener& listener) {
  Subject subject{.kind = SubjectKind::listener,
                  .address = address_label(listener.endpoint),
                  .port = listener.endpoint.port};
  const auto* processes = window.host().processes.get();
  if (processes == nullptr) return subject;
  const auto* owner = ListenerOwners(*processes).main(listener);
  if (owner == nullptr) return subject;
  subject.process = owner->comm;
  subject.pid = owner->pid;
  subject.unit = owner->unit;
  return subject;
}

Subject process_subject(const Process& process) {
  return {.kind = SubjectKind::process, .process = process.comm, .pid = process.pid, .unit = process.unit};
}

Subject destination_subject(const Destination& destination) {
  return {.kind = SubjectKind::destination,
          .address = to_string(destination.destination),
          .port = destination.port};
}

const Listener* find_listener(const Listeners& listeners, const Endpoint& endpoint) {
  const auto found = std::ranges::find(listeners.listeners, endpoint, &Listener::endpoint);
  return found == listeners.listeners.end() ? nullptr : &*found;
}

std::optional<HalfOpenPeak> busiest_half_open(const Window& window) {
  const auto listeners = window.latest(&NetnsView::listeners);
  if (!listeners) return std::nullopt;
  std::map<Endpoint, std::uint32_t> peaks;
  for (const auto& reading : window.readings(&NetnsView::connections))
    for (const auto& half_open : reading.value->half_open)
      peaks[half_open.listener] = std::max(peaks[half_open.listener], half_open.count);
  std::optional<HalfOpenPeak> busiest;
  for (const auto& [endpoint, count] : peaks) {
    if (count == 0 || (busiest && count <= busiest->half_open)) continue;
    if (const auto* listener = find_listener(**listeners, endpoint)) busiest = {listener, count};
  }
  return busiest;
}

}  // namespace tcpdiag
