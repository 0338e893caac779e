// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/result.h"

namespace tcpdiag {

/// A daemon, and how to ask it.
struct DaemonAddress {
  std::string url;               ///< empty: none is asked
  std::string http_config_file;  ///< empty: without a password, and the system knows the CAs
};

/// The body of a daemon's answer to GET `path`: "api/v1/findings". Errors: the URL is none, or the file is
/// not right; the daemon cannot be reached, is not ready, does not let us in, or is something else; the
/// detail is one line.
Result<std::string> ask_daemon(const DaemonAddress& daemon, const std::string& path);

}  // namespace tcpdiag
