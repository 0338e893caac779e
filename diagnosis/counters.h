// SPDX-License-Identifier: Apache-2.0
// The kernel's counters that rules rest on, with the kernel's words (include/uapi/linux/snmp.h).
#pragma once

#include <algorithm>

#include "core/facts/tcp_counters.h"
#include "core/saturating.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// By how much a counter rose from one reading to another; empty: one of them does not say, or it went
/// backwards.
inline Count increase_of(const Count& was, const Count& is) {
  if (!was || !is || *is < *was) return std::nullopt;
  return *is - *was;
}

/// Of the resets that were sent, those that no program asked for by the way it closed; empty: one of the
/// numbers is not known.
inline constexpr std::string_view kKernelResets = "OutRsts less TCPAbortOnClose and TCPAbortOnData";
inline Count kernel_resets(const Count& sent, const Count& unread, const Count& lingering) {
  if (!sent || !unread || !lingering) return std::nullopt;
  return *sent - std::min(*sent, saturating_add(*unread, *lingering));
}

}  // namespace tcpdiag
