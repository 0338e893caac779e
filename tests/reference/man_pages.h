// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tests/reference/catalogue.h"

namespace tcpdiag {

/// Text as man(7) takes it: one paragraph that is shown as it is, with a newline at its end.
std::string man_text(std::string_view text);
/// A term and what it means, a line or several: man(7)'s .TP.
std::string man_item(std::string_view term, std::string_view meaning);

/// tcpdiagd(8), docs/man/tcpdiagd.8.
std::string man_page_of_tcpdiagd(const Json& catalogue);
/// tcpdiag(1), docs/man/tcpdiag.1.
std::string man_page_of_tcpdiag(const Json& catalogue);

}  // namespace tcpdiag
