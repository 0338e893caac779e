// SPDX-License-Identifier: Apache-2.0
#include "collectors/catalog.h"

#include "collectors/netstat.h"

namespace tcpdiag {

std::span<const CollectorSpec> collector_catalog() {
  using namespace std::chrono_literals;
  // clang-format off
  static const CollectorSpec kCatalog[] = {
      {"netstat", 1s, Thread::loop, true, "/proc/net/snmp, /proc/net/netstat", "all tcpdiag_tcp_* counters",
       make_stateless_collector<&NetnsView::tcp, read_tcp_counters>},
  };
  // clang-format on
  return kCatalog;
}

}  // namespace tcpdiag
