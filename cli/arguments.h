// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cli/check.h"
#include "cli/connections.h"
#include "cli/explain.h"
#include "cli/fds.h"
#include "cli/listeners.h"
#include "cli/record.h"
#include "cli/sysctl.h"

namespace tcpdiag {

/// What `tcpdiag replay` shall do.
struct ReplayOptions {
  std::filesystem::path directory;
  bool metrics = false;  ///< show it as /metrics does, not as /api/v1/report
};

struct ShowHelp {};
struct ShowVersion {};

using Command = std::variant<CheckOptions, ListenersOptions, ConnectionsOptions, FdsOptions, SysctlOptions,
                             ExplainOptions, RecordOptions, ReplayOptions, ShowHelp, ShowVersion>;

/// `arguments` are those after the program's name. The detail of an error is one line that names the word
/// that is wrong, and the nearest one that is known or what is allowed.
Result<Command> parse_arguments(const std::vector<std::string>& arguments);

/// The text of --help, several lines.
std::string usage();

}  // namespace tcpdiag
