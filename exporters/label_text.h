// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tcpdiag {

/// Whether `text` can stand in a metrics page as it is: valid UTF-8 (RFC 3629) without control characters.
bool is_label_text(std::string_view text);

/// `text` with each control character and each byte that is not part of valid UTF-8 written as \xNN. Process
/// and namespace names may hold any byte; one of them in a page would make Prometheus refuse the whole page.
std::string to_label_text(std::string_view text);

}  // namespace tcpdiag
