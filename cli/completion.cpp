// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include "cli/arguments.h"
#include "daemon/options.h"
#include "diagnosis/catalog.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kMade =
    "# SPDX-License-Identifier: Apache-2.0\n# Made from the tables of the sources; a unit test compares the "
    "two.\n";

constexpr std::string_view kBashEnd =
    R"(  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
  if [[ ${COMPREPLY[0]-} == *= ]]; then compopt -o nospace; fi
}
)";

constexpr std::string_view kZshEnd = R"(if [[ $PREFIX == -*=* ]]; then
  compset -P '*='
  _files
  return
fi
compadd -- ${candidates:#*=}
compadd -S '' -- ${(M)candidates:#*=}
)";

/// The flags, with an = behind those that take a value.
std::string listed(std::span<const FlagSpec> flags) {
  std::string list;
  for (const auto& flag : flags)
    list += (list.empty() ? "" : " ") + flag.name + (flag.takes_value ? "=" : "");
  return list;
}

std::string findings() {
  std::string list;
  for (const auto& rule : rule_catalog()) list += (list.empty() ? "" : " ") + std::string(rule.info.id);
  return list;
}

std::string commands() {
  std::string list;
  for (const auto& command : command_views()) list += std::string(command.name) + " ";
  return list + "--help --version";
}

/// What may stand behind a command.
std::string words_of(const CommandView& command) {
  return command.name == "explain" ? findings()
                                   : listed(command.flags) + (command.flags.empty() ? "" : " ") + "--help";
}

}  // namespace

std::string bash_completion_of_tcpdiag() {
  std::string text(kMade);
  text += "_tcpdiag() {\n  local words=\n  case $COMP_CWORD:${COMP_WORDS[1]} in\n    1:*) words='" +
          commands() + "' ;;\n";
  for (const auto& command : command_views())
    text += "    *:" + std::string(command.name) + ") words='" + words_of(command) + "' ;;\n";
  return text + "  esac\n" + std::string(kBashEnd) + "complete -o default -F _tcpdiag tcpdiag\n";
}

std::string bash_completion_of_tcpdiagd() {
  return std::string(kMade) + "_tcpdiagd() {\n  local words='" + listed(known_flags()) + "'\n" +
         std::string(kBashEnd) + "complete -o default -F _tcpdiagd tcpdiagd\n";
}

std::string zsh_completion() {
  std::string text = "#compdef tcpdiag tcpdiagd\n" + std::string(kMade);
  text += "local -a candidates\ncase $service:$CURRENT:$words[2] in\n";
  text += "  tcpdiagd:*) candidates=(" + listed(known_flags()) + ") ;;\n";
  text += "  tcpdiag:2:*) candidates=(" + commands() + ") ;;\n";
  for (const auto& command : command_views())
    text += "  tcpdiag:*:" + std::string(command.name) + ") candidates=(" + words_of(command) + ") ;;\n";
  return text + "esac\n" + std::string(kZshEnd);
}

}  // namespace tcpdiag
