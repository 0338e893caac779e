// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/completions.h"

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

std::string listed(const Json& words) {
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "" : " ") + word.get<std::string>();
  return list;
}

std::string findings(const Json& catalogue) {
  std::string list;
  for (const auto& finding : catalogue.at("findings"))
    list += (list.empty() ? "" : " ") + std::string(text_of(finding, "id"));
  return list;
}

const Json& commands(const Json& catalogue) { return catalogue.at("command").at("commands"); }

std::string command_names(const Json& catalogue) {
  std::string list;
  for (const auto& command : commands(catalogue)) list += std::string(text_of(command, "name")) + " ";
  return list + "--help --version";
}

std::string flags_of_daemon(const Json& catalogue) { return listed(catalogue.at("daemon").at("words")); }

/// What may stand behind a command.
std::string words_of(const Json& command, const Json& catalogue) {
  if (text_of(command, "name") == "explain") return findings(catalogue);
  const auto words = listed(command.at("words"));
  return words + (words.empty() ? "" : " ") + "--help";
}

}  // namespace

std::string bash_completion_of_tcpdiag(const Json& catalogue) {
  std::string text(kMade);
  text += "_tcpdiag() {\n  local words=\n  case $COMP_CWORD:${COMP_WORDS[1]} in\n    1:*) words='" +
          command_names(catalogue) + "' ;;\n";
  for (const auto& command : commands(catalogue))
    text += "    *:" + std::string(text_of(command, "name")) + ") words='" + words_of(command, catalogue) +
            "' ;;\n";
  return text + "  esac\n" + std::string(kBashEnd) + "complete -o default -F _tcpdiag tcpdiag\n";
}

std::string bash_completion_of_tcpdiagd(const Json& catalogue) {
  return std::string(kMade) + "_tcpdiagd() {\n  local words='" + flags_of_daemon(catalogue) + "'\n" +
         std::string(kBashEnd) + "complete -o default -F _tcpdiagd tcpdiagd\n";
}

std::string zsh_completion(const Json& catalogue) {
  std::string text = "#compdef tcpdiag tcpdiagd\n" + std::string(kMade);
  text += "local -a candidates\ncase $service:$CURRENT:$words[2] in\n";
  text += "  tcpdiagd:*) candidates=(" + flags_of_daemon(catalogue) + ") ;;\n";
  text += "  tcpdiag:2:*) candidates=(" + command_names(catalogue) + ") ;;\n";
  for (const auto& command : commands(catalogue))
    text += "  tcpdiag:*:" + std::string(text_of(command, "name")) + ") candidates=(" +
            words_of(command, catalogue) + ") ;;\n";
  return text + "esac\n" + std::string(kZshEnd);
}

}  // namespace tcpdiag
