// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/reference/catalogue.h"

namespace tcpdiag {

/// docs/reference/config.md.
std::string config_reference(const Json& catalogue);

/// systemd/tcpdiagd.json: every key with its default, and above it what it is for.
std::string default_config_file(const Json& catalogue);

/// "--log.level=LEVEL".
std::string flag_of(const Json& option);

/// Whether it is the option that says which collectors run: its value has a member for each of them.
bool is_of_collectors(const Json& option);

}  // namespace tcpdiag
