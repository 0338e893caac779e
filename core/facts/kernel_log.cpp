// SPDX-License-Identifier: Apache-2.0
#include "core/facts/kernel_log.h"

namespace tcpdiag {

std::string_view to_string(KernelEventKind kind) {
  static constexpr std::array<std::string_view, kKernelEventKinds> kNames = {"syn_flood",
                                                                             "tcp_memory",
                                                                             "orphans",
                                                                             "time_wait_overflow",
                                                                             "conntrack_full",
                                                                             "conntrack_expectations_full",
                                                                             "file_max",
                                                                             "neighbour_table",
                                                                             "open_request_dropped",
                                                                             "messages_suppressed",
                                                                             "window_scaling",
                                                                             "page_allocation",
                                                                             "out_of_memory_kill",
                                                                             "suspect_gro",
                                                                             "netdev_watchdog"};
  return kNames.at(static_cast<std::size_t>(kind));
}

}  // namespace tcpdiag
