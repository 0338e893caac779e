// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tcpdiag {

/// What --help prints, without the last newline.
std::string options_help();

/// docs/reference/config.md.
std::string config_reference();

}  // namespace tcpdiag
