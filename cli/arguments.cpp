// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <algorithm>

#include "cli/flag_values.h"
#include "cli/output.h"
#include "core/version.h"
#include "daemon/nearest_name.h"

namespace tcpdiag {
namespace {

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : command_specs()) names.emplace_back(command.name);
  return names;
}

const CommandSpec* find_command(const std::vector<std::string>& arguments) {
  const auto& all = command_specs();
  const auto found =
      arguments.empty() ? all.end() : std::ranges::find(all, arguments.front(), &CommandSpec::name);
  return found == all.end() ? nullptr : &*found;
}

/// What stands where a command is expected and is none.
tl::unexpected<Error> unknown_word(const std::string& word) {
  const bool flag = word.starts_with('-');
  const auto known = flag ? std::vector<std::string>{"--help", "--version"} : command_names();
  return refused((flag ? "unknown flag " : "unknown command ") + quote(word) + did_you_mean(word, known));
}

constexpr std::string_view kSharedFlags = R"(  --netns=NETNS
      Look only into this network namespace: a name as namespaces shows it, such as shop or
      payments/checkout-7d9f; a pattern ("payments/*"); or a path such as /proc/PID/ns/net. The
      program's own is called host. May be given several times. Without it every namespace of the
      machine that may be entered is looked into; record records the own one, and those named.
  --json
      JSON, as in the daemon's API, for programs.
)";

constexpr std::string_view kExitStatus =
    R"(Exit status of the other commands: 0 when what was asked for is known, 1 when it could not be read,
2 for a mistake on the command line.
)";

/// A synopsis on lines that fit a terminal.
std::string wrapped(std::string line) {
  constexpr std::size_t kWidth = 100;
  if (line.size() > kWidth) line.insert(line.rfind(" [", kWidth), "\n" + std::string(20, ' '));
  return line;
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

int show_help(const ShowHelp&) { return show(usage()); }

int show_version(const ShowVersion&) { return show("tcpdiag " + std::string(version()) + "\n"); }

}  // namespace

// A new command is a file in cli/commands/, and a row here.
const std::vector<CommandSpec>& command_specs() {
  static const std::vector<CommandSpec> kCommands = {
      check_command(),      listeners_command(), connections_command(), fds_command(),   sysctl_command(),
      namespaces_command(), explain_command(),   record_command(),      replay_command()};
  return kCommands;
}

Result<Action> parse_arguments(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return refused("no command; allowed: " + listed(command_names()));
  const auto& word = arguments.front();
  if (word == "--help" || word == "-h") return Run<ShowHelp>{show_help, {}};
  if (word == "--version") return Run<ShowVersion>{show_version, {}};
  const auto* command = find_command(arguments);
  if (command == nullptr) return unknown_word(word);

  auto flags = command->flags;
  flags.insert(flags.end(), {{"--help"}, {"-h"}});
  const auto given = parse_flags({arguments.begin() + 1, arguments.end()}, flags, command->operands);
  if (!given) return tl::unexpected<Error>(given.error());
  if (given->contains("--help") || given->contains("-h")) return Run<ShowHelp>{show_help, {}};
  return command->parse(*given);
}

int status_of_mistake(const std::vector<std::string>& arguments) {
  const auto* command = find_command(arguments);
  return command == nullptr ? kMistake : command->on_mistake;
}

int status_of_failure(const std::vector<std::string>& arguments) {
  const auto* command = find_command(arguments);
  return command == nullptr ? kFailed : command->on_failure;
}

std::string usage() {
  std::string synopses, descriptions;
  for (const auto& command : command_specs()) {
    const auto line = std::string(command.name) + std::string(command.synopsis);
    synopses += wrapped((synopses.empty() ? "Usage: tcpdiag " : "       tcpdiag ") + line) + "\n";
    descriptions += "\n  " + std::string(command.name) + "\n" + std::string(command.help);
  }
  return synopses + "       tcpdiag --help | --version\nAsks the kernel why TCP connections fail.\n" +
         descriptions + "\n" + std::string(kSharedFlags) + "\n" + std::string(kExitStatus);
}

std::string_view shared_flags_help() { return kSharedFlags; }

}  // namespace tcpdiag
