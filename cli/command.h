// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "daemon/flags.h"

namespace tcpdiag {

inline constexpr int kFailed = 1;   ///< what was asked for could not be read
inline constexpr int kMistake = 2;  ///< on the command line

/// What a command does once its arguments are understood; gives the exit status.
using Action = std::function<int()>;

/// The usual action: a function that is given its options.
template <class Options>
struct Run {
  int (*run)(const Options&);
  Options options;

  int operator()() const { return run(options); }
};

/// A command of `tcpdiag`: how it is written, and what it takes. Each is a file in cli/commands/.
struct CommandSpec {
  std::string_view name;
  std::string_view synopsis;    ///< behind the name: " [PID] [--json]"
  std::vector<FlagSpec> flags;  ///< without those that every command has
  std::size_t operands;
  /// The detail of an error is one line that names the word that is wrong, and what is allowed.
  Result<Action> (*parse)(const GivenFlags& given);
  std::string_view help;  ///< of --help, indented by six, terms by two
  /// The exit statuses of a mistake on the command line and of a failure.
  int on_mistake = kMistake, on_failure = kFailed;
};

CommandSpec check_command();
CommandSpec listeners_command();
CommandSpec connections_command();
CommandSpec fds_command();
CommandSpec sysctl_command();
CommandSpec namespaces_command();
CommandSpec explain_command();
CommandSpec record_command();
CommandSpec replay_command();

}  // namespace tcpdiag
