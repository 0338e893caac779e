// SPDX-License-Identifier: Apache-2.0
// Every fact the daemon can know. A snapshot is a value: collectors fill its sections, everything behind them
// only reads. What a section holds is in its header in core/facts/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/section.h"

namespace tcpdiag {

struct TcpCounters;
struct SocketUsage;
struct Listeners;
struct Connections;
struct Settings;
struct Interfaces;
struct Conntrack;
struct FileHandles;
struct Processes;
struct MemoryInfo;
struct HostConfig;
struct Softnet;
struct KernelLog;
struct SelfUsage;
struct NetnsList;

/// The name of the daemon's own network namespace.
inline constexpr auto kHostNetns = "host";

/// Which network namespace it is, for as long as the daemon runs: another one that gets the same name later
/// is another one.
enum class NetnsId : std::uint32_t { host = 0 };

/// What belongs to one network namespace.
struct NetnsView {
  NetnsId id = NetnsId::host;
  std::uint64_t generation = 0;  ///< FoundNetns::generation; 0: the daemon's own, or one that is configured
  std::string name;  ///< kHostNetns, what people call it (collectors/netns_names.h), or as it was configured
  Section<TcpCounters> tcp;
  Section<SocketUsage> sockets;
  Section<Listeners> listeners;
  Section<Connections> connections;
  Section<Settings> settings;
  Section<Conntrack> conntrack;
  Section<Interfaces> interfaces;
};

/// Everything that is known at one moment.
struct Snapshot {
  TimePoint at;
  Section<FileHandles> files;
  Section<Processes> processes;
  Section<Softnet> softnet;
  Section<MemoryInfo> memory;
  Section<HostConfig> config;
  Section<KernelLog> kernel_log;
  Section<SelfUsage> self;
  Section<NetnsList> netns_list;
  std::vector<NetnsView> namespaces;  ///< ordered by id: the daemon's own first; never empty

  /// nullptr: there is none of that id.
  [[nodiscard]] const NetnsView* find(NetnsId id) const;
  [[nodiscard]] NetnsView* find(NetnsId id);
  /// The same; where there is none, one of which nothing is known.
  [[nodiscard]] const NetnsView& view(NetnsId id) const;
};

}  // namespace tcpdiag
