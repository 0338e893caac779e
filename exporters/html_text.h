// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tcpdiag {

/// `text` for a page: markup is escaped, for elements and for attributes in double quotes; the rest as
/// one_line() has it.
std::string html_text(std::string_view text);

}  // namespace tcpdiag
