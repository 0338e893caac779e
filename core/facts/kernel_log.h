// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/describe.h"
#include "core/time_point.h"

namespace tcpdiag {

/// What a kernel log line that matters says.
enum class KernelEventKind {
  syn_flood,
  tcp_memory,
  orphans,
  time_wait_overflow,
  conntrack_full,
  conntrack_expectations_full,
  file_max,
  neighbour_table,
  open_request_dropped,
  messages_suppressed,
  window_scaling,
  page_allocation,
  out_of_memory_kill,
  suspect_gro,
  netdev_watchdog,
};
inline constexpr std::size_t kKernelEventKinds = 15;

/// "syn_flood", "tcp_memory", ...
std::string_view to_string(KernelEventKind kind);
constexpr auto values_of(Type<KernelEventKind>) { return first_values<KernelEventKind, kKernelEventKinds>(); }

/// One such line. The log is the machine's: a line names no namespace, so a port may be any container's.
struct KernelEvent {
  KernelEventKind kind = KernelEventKind::syn_flood;
  std::uint64_t sequence = 0;  ///< the record's number since boot
  TimePoint at;                ///< the log's clock, which stands still while the machine is suspended
  /// The line as the log has it, at most KernelLog::kTextBytes: printable ASCII, every other byte and the
  /// backslash as \xNN.
  std::string text;
  std::string address;          ///< syn_flood from 6.2 on: the listener's bound address; otherwise empty
  std::uint16_t port = 0;       ///< syn_flood: the port; otherwise 0
  std::optional<bool> cookies;  ///< syn_flood: true "Sending cookies", false "Dropping request"

  bool operator==(const KernelEvent&) const = default;
};
constexpr auto members_of(Type<KernelEvent>, auto member) {
  return std::tuple(member("event", &KernelEvent::kind), member("sequence", &KernelEvent::sequence),
                    member("age_seconds", &KernelEvent::at), member("text", &KernelEvent::text),
                    member("address", &KernelEvent::address, Shown::if_filled),
                    member("port", &KernelEvent::port, Shown::if_filled),
                    member("cookies", &KernelEvent::cookies));
}

/// SYN-flood lines of one port since the log was first read.
struct SynFloodReports {
  std::string address;  ///< empty where the kernel (before 6.2) names the port alone
  std::uint16_t port = 0;
  std::uint64_t count = 0;

  bool operator==(const SynFloodReports&) const = default;
};
constexpr auto members_of(Type<SynFloodReports>, auto member) {
  return std::tuple(member("address", &SynFloodReports::address), member("port", &SynFloodReports::port),
                    member("count", &SynFloodReports::count));
}

/// /dev/kmsg. Counts begin with what is logged after the daemon first read to the log's end; `recent` also
/// holds older lines that the ring still had.
struct KernelLog {
  std::array<std::uint64_t, kKernelEventKinds> counts{};  ///< indexed by KernelEventKind
  std::vector<SynFloodReports> syn_floods;                ///< by address and port, at most kSynFloodPorts
  std::uint64_t syn_floods_cut = 0;                       ///< lines about further ports
  std::vector<KernelEvent> recent;                        ///< newest last, at most kRecent
  std::uint64_t lost = 0;  ///< records overwritten before they were read: lines may have been missed
  std::uint64_t next_sequence = 0;

  static constexpr std::size_t kRecent = 256;
  static constexpr std::size_t kTextBytes = 512;
  static constexpr std::size_t kSynFloodPorts = 256;

  bool operator==(const KernelLog&) const = default;
};
constexpr std::string_view collector_of(Type<KernelLog>) { return "kernel_log"; }
constexpr auto members_of(Type<KernelLog>, auto member) {
  return std::tuple(member("counts", &KernelLog::counts), member("syn_floods", &KernelLog::syn_floods),
                    member("syn_floods_cut", &KernelLog::syn_floods_cut),
                    member("recent", &KernelLog::recent), member("lost_records", &KernelLog::lost),
                    member("next_sequence", &KernelLog::next_sequence));
}

}  // namespace tcpdiag
