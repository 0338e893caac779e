// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/check.h"
#include "cli/connections.h"
#include "cli/explain.h"
#include "cli/fds.h"
#include "cli/listeners.h"
#include "cli/record.h"
#include "cli/sysctl.h"
#include "daemon/flags.h"

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

/// A command as --help shows it, and what may stand behind it.
struct CommandView {
  std::string_view name;
  std::string_view synopsis;  ///< behind the name: " [PID] [--json]"
  std::span<const FlagSpec> flags;
  std::string_view help;  ///< indented by six, terms by two
};
std::vector<CommandView> command_views();
/// What several commands take, in the form of CommandView::help.
std::string_view shared_flags_help();

/// The text of --help, several lines.
std::string usage();

}  // namespace tcpdiag
