// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/terminal.h"
#include "core/report.h"

namespace tcpdiag {

/// What `tcpdiag namespaces` is asked to do.
struct NamespacesOptions {
  bool json = false;
};

/// The network namespaces of the machine as a table: the program's own first, then as they were found. What
/// could not be looked into has no numbers.
std::string namespaces_text(const Report& report, const TextStyle& style);

}  // namespace tcpdiag
