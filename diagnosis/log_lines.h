// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/facts/kernel_log.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// Kernel log lines of one kind.
struct LogLines {
  std::uint64_t count = 0;
  std::string latest;  ///< as the log has it; empty when there is none
};

/// The lines that were logged within the window, up to `until`. What the ring still holds of earlier times
/// does not count; nor do the lines' own times, which drift away from the daemon's clock over weeks. Errors:
/// the log cannot be read now; there is only one reading; no such line was seen, but records were lost.
Result<LogLines> log_lines(const Window& window, KernelEventKind kind, TimePoint until = TimePoint::max());

}  // namespace tcpdiag
