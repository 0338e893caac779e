// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tcpdiag {

/// The project's version as the build names it: "0.1.0".
std::string_view version();

}  // namespace tcpdiag
