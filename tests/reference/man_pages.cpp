// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/man_pages.h"

#include "core/text.h"
#include "tests/reference/config_reference.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kDaemonHead = R"(.\" SPDX-License-Identifier: Apache-2.0
.\" Made from the tables of the sources; a unit test compares the two.
.TH TCPDIAGD 8 "" tcpdiagd "System Administration"
.SH NAME
tcpdiagd \- says why TCP connections are reset or time out
.SH SYNOPSIS
.B tcpdiagd
.RI [ flag ...]
.SH DESCRIPTION
tcpdiagd watches the TCP stack of this host and says which limit bites, with the numbers that prove it, what to change,
and what will not help.
It changes nothing on the host.
What it finds is shown on its port (a page, JSON, metrics for Prometheus) and written to the journal.
.PP
As a service it is started by tcpdiagd.service, reads /etc/tcpdiagd/tcpdiagd.json, and takes the flags in ARGS of
/etc/default/tcpdiagd.
Flags override the file.
.SH FLAGS
)";

constexpr std::string_view kDaemonTail = R"(.SH SIGNALS
.TP
SIGHUP
Reads the configuration again. If it is not valid, the running one stays.
What takes effect only after a restart is named in the log.
.TP
SIGTERM, SIGINT
End the daemon.
.SH EXIT STATUS
0 after a signal, 1 when it cannot run, 2 when a flag or the configuration is wrong.
.SH FILES
.TP
/etc/tcpdiagd/tcpdiagd.json
Configuration: JSON with comments, every key with its default.
.TP
/etc/default/tcpdiagd
Flags of the service.
.TP
/run/tcpdiagd\-netns/socket
Where tcpdiagd\-netns opens other network namespaces for it.
.SH SEE ALSO
.BR tcpdiag (1),
.BR tcpdiagd\-netns (8),
.BR journalctl (1)
)";

constexpr std::string_view kCommandHead = R"(.\" SPDX-License-Identifier: Apache-2.0
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

constexpr std::string_view kCommandTail = R"(.SH EXIT STATUS
Of
.BR check :
0 nothing is found, 1 a warning, 2 something critical, 3 it cannot tell.
.PP
Of the others: 0 when what was asked for is known, 1 when it could not be read, 2 for a mistake on the command line.
.SH SEE ALSO
.BR tcpdiagd (8),
.BR ss (8)
)";

std::string meaning_of(const Json& option, const Json& collectors) {
  const std::string help(text_of(option, "help"));
  if (!is_of_collectors(option))
    return help + " Allowed: " + std::string(text_of(option, "allowed")) +
           ". Default: " + option.at("default").dump() + ".";
  std::string names;
  for (const auto& collector : collectors)
    names += (names.empty() ? "" : ", ") + std::string(text_of(collector, "name"));
  return help + " NAME is one of: " + names + ". Default: all of them run.";
}

/// Lines of --help, each as it stands there.
std::string man_lines(std::string_view lines) {
  std::string text;
  while (!lines.empty()) text += man_text(next_line(lines));
  return text;
}

std::string man_flags(const Json& flags) {
  std::string text;
  for (const auto& flag : flags) text += man_item(text_of(flag, "flag"), text_of(flag, "help"));
  return text;
}

}  // namespace

std::string man_text(std::string_view text) {
  std::string result;
  if (text.starts_with('.') || text.starts_with('\'')) result += "\\&";
  for (const char c : text) {
    if (c == '-') result += '\\';
    result += c == '\\' ? std::string("\\e") : std::string(1, c);
  }
  return result + "\n";
}

std::string man_item(std::string_view term, std::string_view meaning) {
  return ".TP\n" + man_text(term) + man_lines(meaning);
}

std::string man_page_of_tcpdiagd(const Json& catalogue) {
  const auto& daemon = catalogue.at("daemon");
  std::string page(kDaemonHead);
  for (const auto& option : daemon.at("options"))
    page += man_item(flag_of(option), meaning_of(option, catalogue.at("collectors")));
  page += man_flags(daemon.at("flags"));
  return page + std::string(kDaemonTail);
}

std::string man_page_of_tcpdiag(const Json& catalogue) {
  const auto& command = catalogue.at("command");
  std::string page(kCommandHead);
  for (const auto& each : command.at("commands")) {
    const auto line = std::string(text_of(each, "name")) + std::string(text_of(each, "synopsis"));
    page += ".SS " + man_text(line) + man_lines(text_of(each, "help")) + man_flags(each.at("flags"));
  }
  return page + ".SH FLAGS OF SEVERAL COMMANDS\n" + man_flags(command.at("flags")) +
         std::string(kCommandTail);
}

}  // namespace tcpdiag
