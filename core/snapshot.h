// SPDX-License-Identifier: Apache-2.0
// Every fact the daemon can know. A snapshot is a value: collectors fill its sections, everything behind them
// only reads. What a section holds is in its header in core/facts/.
#pragma once

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

/// The name of the daemon's own network namespace.
inline constexpr auto kHostNetns = "host";

/// What belongs to one network namespace.
struct NetnsView {
  std::string name;  ///< kHostNetns, or the name under /run/netns
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
  std::vector<NetnsView> namespaces;  ///< the daemon's own first; never empty
};

}  // namespace tcpdiag
