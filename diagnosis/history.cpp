// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/history.h"

#include "core/facts/connections.h"
#include "core/facts/host_config.h"
#include "core/facts/interfaces.h"
#include "core/facts/kernel_log.h"
#include "core/facts/listeners.h"
#include "core/facts/processes.h"
#include "core/facts/settings.h"
#include "core/facts/tcp_counters.h"

namespace tcpdiag {
namespace {

std::size_t bytes_of(const Listeners& listeners) {
  std::size_t bytes = 0;
  for (const auto& listener : listeners.listeners)
    bytes += sizeof(Listener) + listener.sockets.capacity() * sizeof(ListenerSocket);
  return bytes;
}

std::size_t bytes_of(const Connections& connections) {
  return sizeof(Connections) + connections.close_wait.capacity() * sizeof(CloseWait) +
         (connections.server.capacity() + connections.client.capacity()) * sizeof(PortConnections) +
         connections.half_open.capacity() * sizeof(HalfOpen) +
         (connections.destinations.capacity() + connections.unanswered.capacity()) * sizeof(Destination);
}

std::size_t bytes_of(const HostConfig& config) {
  std::size_t bytes = config.file_limits.capacity() * sizeof(UnitFileLimit);
  for (const auto& line : config.sysctls)
    bytes += sizeof(SysctlLine) + line.file.capacity() + line.name.capacity() + line.value.capacity();
  return bytes;
}

std::size_t bytes_of(const Processes& processes) {
  std::size_t bytes = processes.crowded.capacity() * sizeof(CrowdedSocket);
  for (const auto& process : processes.processes)
    bytes +=
        sizeof(Process) + process.owner.name.capacity() +
        (process.listener_inodes.capacity() + process.close_wait_inodes.capacity()) * sizeof(std::uint32_t);
  return bytes;
}

std::size_t bytes_of(const Settings& settings) {
  std::size_t bytes = sizeof(Settings);
  for (const auto& sysctl : settings.sysctls)
    bytes += sizeof(Sysctl) + sysctl.values.capacity() * sizeof(std::int64_t) + sysctl.text.capacity();
  return bytes;
}

std::size_t bytes_of(const Interfaces& interfaces) {
  std::size_t bytes = sizeof(Interfaces) + interfaces.addresses.capacity() * sizeof(IpAddress);
  for (const auto& filter : interfaces.filters)
    bytes += sizeof(ReversePathFilter) + filter.interface.capacity();
  return bytes;
}

std::size_t bytes_of(const KernelLog& log) {
  std::size_t bytes = sizeof(KernelLog) + log.syn_floods.capacity() * sizeof(SynFloodReports);
  for (const auto& event : log.recent) bytes += sizeof(KernelEvent) + event.text.capacity();
  return bytes;
}

// Nothing for what it shares with the one before.
template <class Holder, class T>
std::size_t bytes_of(Section<T> Holder::* section, const Holder& now, const Holder* before) {
  const auto* value = (now.*section).get();
  const bool shared = before != nullptr && value == (before->*section).get();
  return value == nullptr || shared ? 0 : bytes_of(*value);
}

std::size_t bytes_of(const Snapshot& snapshot, const Snapshot* before) {
  auto bytes = sizeof(Snapshot) + bytes_of(&Snapshot::processes, snapshot, before) +
               bytes_of(&Snapshot::kernel_log, snapshot, before) +
               bytes_of(&Snapshot::config, snapshot, before);
  for (std::size_t i = 0; i < snapshot.namespaces.size(); ++i) {
    const auto& netns = snapshot.namespaces[i];
    const bool comparable = before != nullptr && i < before->namespaces.size();
    const auto* old = comparable ? &before->namespaces[i] : nullptr;
    bytes += sizeof(NetnsView) + sizeof(TcpCounters) + bytes_of(&NetnsView::listeners, netns, old) +
             bytes_of(&NetnsView::connections, netns, old) + bytes_of(&NetnsView::settings, netns, old) +
             bytes_of(&NetnsView::interfaces, netns, old);
  }
  return bytes;
}

}  // namespace

std::size_t History::bytes() const {
  std::size_t bytes = 0;
  const Snapshot* before = nullptr;
  for (const auto& snapshot : snapshots_) {
    bytes += bytes_of(snapshot, before);
    before = &snapshot;
  }
  return bytes;
}

void History::push(const Snapshot& snapshot) {
  if (!snapshots_.empty() && snapshot.at <= snapshots_.back().at)
    snapshots_.back() = snapshot;
  else
    snapshots_.push_back(snapshot);
  thin_old(snapshot.at);
  while (snapshots_.size() > 2 && (snapshots_.size() > kMaxSnapshots || bytes() > kMaxBytes)) halve();
}

void History::thin_old(TimePoint now) {
  while (!snapshots_.empty() && now - snapshots_.front().at > kSpan) snapshots_.pop_front();
  for (std::size_t i = 1; i + 1 < snapshots_.size() && now - snapshots_[i].at > kFine;) {
    const bool too_close = snapshots_[i + 1].at - snapshots_[i - 1].at <= kCoarseStep;
    if (too_close)
      snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(i));
    else
      ++i;
  }
}

// The first and the last stay: they carry the span.
void History::halve() {
  std::deque<Snapshot> kept;
  for (std::size_t i = 0; i < snapshots_.size(); ++i)
    if (i % 2 == 0 || i + 1 == snapshots_.size()) kept.push_back(std::move(snapshots_[i]));
  snapshots_ = std::move(kept);
}

}  // namespace tcpdiag
