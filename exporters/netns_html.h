// SPDX-License-Identifier: Apache-2.0
// The parts of the built-in page that are about network namespaces.
#pragma once

#include <string>

#include "core/report.h"

namespace tcpdiag {

/// The namespaces of the machine with the worst that is found in each, those in trouble first; each leads to
/// its own page. Empty: there is but one, or the list is not known.
std::string netns_html(const Report& report);

/// The row of one of them, without a link. Empty: it is not in the list.
std::string netns_row_html(const Report& report, const std::string& netns);

}  // namespace tcpdiag
