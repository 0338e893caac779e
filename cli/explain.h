// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/terminal.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// The options of `tcpdiag explain`.
struct ExplainOptions {
  const Rule* rule = nullptr;  ///< nullptr: list all
};

/// All findings by family, each with its severity and title.
std::string findings_list(const TextStyle& style);

/// What a finding means and what to do about it, as docs/reference/findings.md has it. Only commands are
/// wider than the style allows: each is one line, to be copied.
std::string explanation(const Rule& rule, const TextStyle& style);

}  // namespace tcpdiag
