// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/report.h"

namespace tcpdiag {

/// The page at "/": what is found, what cannot be told, what is over, and how the collectors do. nullptr: no
/// report yet.
std::string landing_page(const Report* report);

/// Its style sheet, exporters/web/style.css.
std::string landing_style();

}  // namespace tcpdiag
