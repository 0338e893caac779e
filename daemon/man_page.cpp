// SPDX-License-Identifier: Apache-2.0
#include "daemon/man_page.h"

#include "collectors/catalog.h"
#include "daemon/option_table.h"
#include "daemon/options_reference.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kHead = R"(.\" SPDX-License-Identifier: Apache-2.0
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

constexpr std::string_view kTail = R"(.SH SIGNALS
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
/usr/share/doc/tcpdiagd/examples/namespaces.conf
Drop\-in that lets the service enter other network namespaces.
.SH SEE ALSO
.BR tcpdiag (1),
.BR journalctl (1)
)";

std::string flag_of(const OptionRow& row) {
  return std::string(row.flag) + (row.placeholder.empty() ? "" : "=" + std::string(row.placeholder));
}

std::string meaning_of(const OptionRow& row) {
  const std::string help(row.help);
  if (!std::holds_alternative<CollectorsOption>(row.kind))
    return help + " Allowed: " + allowed_by(row) + ". Default: " + shown(row, Options{}) + ".";
  std::string names;
  for (const auto& collector : collector_catalog())
    names += (names.empty() ? "" : ", ") + std::string(collector.name);
  return help + " NAME is one of: " + names + ". Default: all of them run.";
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
  return ".TP\n" + man_text(term) + man_text(meaning);
}

std::string daemon_man_page() {
  std::string page(kHead);
  for (const auto& row : option_table()) page += man_item(flag_of(row), meaning_of(row));
  for (const auto& flag : plain_flags()) page += man_item(flag.flag, flag.help);
  return page + std::string(kTail);
}

}  // namespace tcpdiag
