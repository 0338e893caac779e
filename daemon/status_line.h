// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/report.h"

namespace tcpdiag {

/// The state of the host and of the daemon on one line: "3 findings, the worst: critical accept-queue-full
/// 0.0.0.0:80; fails: kernel_log".
std::string status_line(const Report& report);

}  // namespace tcpdiag
