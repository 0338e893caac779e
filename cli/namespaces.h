// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "cli/daemon_answer.h"
#include "cli/terminal.h"
#include "core/result.h"
#include "exporters/netns_overview.h"

namespace tcpdiag {

/// What `tcpdiag namespaces` is asked to do.
struct NamespacesOptions {
  std::optional<std::chrono::milliseconds> duration;  ///< empty: as long as it takes to tell
  bool json = false;
  DaemonAddress daemon;  ///< to ask; empty: look at this host
};

/// What GET /api/v1/namespaces says, as values again. Errors: it is not JSON, or not what is documented, or
/// the list is not known.
Result<NetnsOverview> parse_namespaces_answer(std::string_view text);

/// The network namespaces of the machine as a table: the program's own first, then as they were found, each
/// with the worst that is found in it. What could not be looked into has no numbers, and why.
std::string namespaces_text(const NetnsOverview& overview, const TextStyle& style);

}  // namespace tcpdiag
