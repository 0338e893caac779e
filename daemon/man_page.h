// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tcpdiag {

/// Text as man(7) takes it: one paragraph that is shown as it is, with a newline at its end.
std::string man_text(std::string_view text);
/// A term and what it means, man(7)'s .TP.
std::string man_item(std::string_view term, std::string_view meaning);

/// tcpdiagd(8), docs/man/tcpdiagd.8.
std::string daemon_man_page();

}  // namespace tcpdiag
