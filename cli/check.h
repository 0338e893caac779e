// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/findings_answer.h"
#include "core/report.h"
#include "daemon/clock.h"

namespace tcpdiag {

/// What `tcpdiag check` shall do.
struct CheckOptions {
  std::chrono::milliseconds duration = std::chrono::seconds(10);
  bool json = false;
  std::string url;               ///< the daemon to ask; empty: look at this host
  std::string http_config_file;  ///< how to ask it; empty: without a password, and the system knows the CAs
  std::vector<std::string> namespaces;  ///< to look at beside the program's own
};

/// The exit statuses of `tcpdiag check`, those of a monitoring plugin.
enum class CheckStatus { nothing = 0, warning = 1, critical = 2, cannot_tell = 3 };

/// The worst of what was found; info counts as nothing. cannot_tell: nothing worse was found, and a rule that
/// would find a warning or something critical could not be judged.
CheckStatus status_of(const FindingsAnswer& answer);

/// What was found on this host while it was looked at, also what is gone again. Ends early when SIGINT or
/// SIGTERM asks to stop.
Report look_at_this_host(const CheckOptions& options, const Clocks& clocks);

/// The body of a daemon's GET /api/v1/findings. Errors: the URL is none, or the file is not right; the daemon
/// cannot be reached, is not ready, does not let us in, or is something else; the detail is one line.
Result<std::string> ask_daemon(const CheckOptions& options);

}  // namespace tcpdiag
