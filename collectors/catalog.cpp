// SPDX-License-Identifier: Apache-2.0
#include "collectors/catalog.h"

#include "collectors/connections.h"
#include "collectors/listeners.h"
#include "collectors/netstat.h"
#include "collectors/processes.h"

namespace tcpdiag {

std::span<const CollectorSpec> collector_catalog() {
  using namespace std::chrono_literals;
  // clang-format off
  static const CollectorSpec kCatalog[] = {
      {"netstat", 1s, Thread::loop, true, "/proc/net/snmp, /proc/net/netstat", "all tcpdiag_tcp_* counters",
       make_stateless_collector<&NetnsView::tcp, read_tcp_counters>},
      {"listeners", 100ms, Thread::loop, true, "sock_diag, LISTEN", "accept queues: lengths, limits, drops",
       make_collector<&NetnsView::listeners, ListenersReader>},
      {"connections", 5s, Thread::worker, true, "sock_diag, all states", "connections by port and state, half-open ones, ephemeral ports",
       make_collector<&NetnsView::connections, ConnectionsReader>},
      {"processes", 5s, Thread::worker, false, "/proc/PID: fd, stat, limits, cgroup", "which processes own listeners, and who runs out of descriptors",
       make_collector<&Snapshot::processes, ProcessesReader>},
  };
  // clang-format on
  return kCatalog;
}

}  // namespace tcpdiag
