// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace tcpdiag {

/// The options of the actions behind --help and --version.
struct ShowHelp {};
struct ShowVersion {};

/// All commands, in the order of --help.
const std::vector<CommandSpec>& command_specs();

/// `arguments` are those after the program's name. The detail of an error is one line that names the word
/// that is wrong, and the nearest one that is known or what is allowed.
Result<Action> parse_arguments(const std::vector<std::string>& arguments);

/// The exit status when parse_arguments() failed, and when a library threw.
int status_of_mistake(const std::vector<std::string>& arguments);
int status_of_failure(const std::vector<std::string>& arguments);

/// What several commands take, in the form of CommandSpec::help.
std::string_view shared_flags_help();

/// The text of --help, several lines.
std::string usage();

}  // namespace tcpdiag
