// SPDX-License-Identifier: Apache-2.0
// The parts of the built-in page that are about findings.
#pragma once

#include <string>

#include "core/report.h"

namespace tcpdiag {

/// Open incidents in reading order (core/finding_order.h): first a table with a line for each, as `tcpdiag
/// check` has it, then each with summary, proof, limit and, folded, the advice, which what is past does not
/// have; or that there are none. The first of a kind can be linked to by its id.
std::string findings_html(const Report& report);

/// The rules that cannot tell, by reason; empty: all can.
std::string unknown_html(const Report& report);

/// The latest incidents that are over; empty: there are none.
std::string closed_html(const Report& report);

}  // namespace tcpdiag
