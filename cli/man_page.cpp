// SPDX-License-Identifier: Apache-2.0
#include "cli/man_page.h"

#include "cli/arguments.h"
#include "core/text.h"
#include "daemon/man_page.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kHead = R"(.\" SPDX-License-Identifier: Apache-2.0
.\" Made from the tables of the sources; a unit test compares the two.
.TH TCPDIAG 1 "" tcpdiagd "User Commands"
.SH NAME
tcpdiag \- asks the kernel why TCP connections fail
.SH SYNOPSIS
.B tcpdiag
.I command
.RI [ argument ...]
.SH DESCRIPTION
tcpdiag looks at this host by itself, or asks a daemon.
It changes nothing.
.SH COMMANDS
)";

constexpr std::string_view kTail = R"(.SH EXIT STATUS
Of
.BR check :
0 nothing is found, 1 a warning, 2 something critical, 3 it cannot tell.
.PP
Of the others: 0 when what was asked for is known, 1 when it could not be read, 2 for a mistake on the command line.
.SH SEE ALSO
.BR tcpdiagd (8),
.BR ss (8)
)";

/// The indented text of --help: a line that is indented by two is a term, what follows its meaning.
std::string man_help(std::string_view help) {
  std::string text;
  while (!help.empty()) {
    auto line = next_line(help);
    const bool term = line.starts_with("  -");
    line.remove_prefix(line.find_first_not_of(' '));
    text += (term ? ".TP\n" : "") + man_text(line);
  }
  return text;
}

}  // namespace

std::string man_page() {
  std::string page(kHead);
  for (const auto& command : command_views())
    page +=
        ".SS " + man_text(std::string(command.name) + std::string(command.synopsis)) + man_help(command.help);
  return page + ".SH FLAGS OF SEVERAL COMMANDS\n" + man_help(shared_flags_help()) + std::string(kTail);
}

}  // namespace tcpdiag
