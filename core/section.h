// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/result.h"
#include "core/time_point.h"

namespace tcpdiag {

/// A number the kernel gave. Empty: this kernel does not say; not zero.
using Count = std::optional<std::uint64_t>;

struct TcpCounters;
/// A counter of a network namespace: a member of core/facts/tcp_counters.h.
using TcpCounter = Count TcpCounters::*;

/// One collector's share of a snapshot: what it read, or why it could not. Beside T stands
/// collector_of(Type<T>), the name of that collector as users know it.
template <class T>
struct Section {
  Result<std::shared_ptr<const T>> value = tl::unexpected<Error>(Error{});
  TimePoint read_at;  ///< when it was tried last, whether that failed or not

  [[nodiscard]] bool known() const { return value.has_value(); }
  /// The value, or nullptr when it is not known.
  [[nodiscard]] const T* get() const { return value ? value->get() : nullptr; }
};

}  // namespace tcpdiag
