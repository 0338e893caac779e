// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tcpdiag {

/// What --help prints, without the last newline.
std::string options_help();

/// systemd/tcpdiagd.json: every key with its default, and above it what it is for.
std::string default_config_file();

/// docs/reference/config.md.
std::string config_reference();

}  // namespace tcpdiag
