// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tcpdiag {

/// tcpdiag(1), docs/man/tcpdiag.1.
std::string man_page();

}  // namespace tcpdiag
