// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/netns_choice.h"
#include "cli/terminal.h"
#include "core/report.h"
#include "daemon/clock.h"

namespace tcpdiag {

/// What `tcpdiag sysctl` shall do.
struct SysctlOptions {
  std::vector<std::string> namespaces;  ///< as parse_namespaces()
  bool lint = false;                    ///< say what is wrong with them, instead of what they are
  bool json = false;
};

/// The settings of this host, and in Report::rules and Report::incidents what the lint says about them.
/// Without `with_lint` processes are not looked at, so that what units ask for is not known.
Report look_at_settings(const NetnsChoice& netns, bool with_lint, const Clocks& clocks);

/// Judges the report's settings: they need no history.
void lint(Report& report);

/// The settings of every namespace in which they are known, as a table, each with what it does and which file
/// sets it. Those of the machine stand with the program's own namespace. A value that the lint has found
/// fault with is coloured, and the last line says how many there are.
std::string sysctl_text(const Report& report, const TextStyle& style);

}  // namespace tcpdiag
