// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "core/facts/kernel_log.h"

namespace tcpdiag {

/// What the text of a kernel log record says, in the words of every kernel since 2.6; empty when it is none
/// of the lines that matter. Fills the kind and, for a SYN flood, address, port and cookies.
std::optional<KernelEvent> classify_kernel_line(std::string_view line);

}  // namespace tcpdiag
