// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/report.h"

namespace tcpdiag {

/// The page at "/": what is found, where, what cannot be told, what is over, and how the collectors do.
/// nullptr: no report yet.
std::string landing_page(const Report* report);

/// The same of one namespace alone, without the others' table. Of the daemon's own it has what is found
/// about the machine.
std::string netns_page(const Report& report, const std::string& netns);
bool has_netns(const Report& report, std::string_view netns);

/// Its style sheet, exporters/web/style.css.
std::string landing_style();

}  // namespace tcpdiag
