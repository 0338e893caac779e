// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/http_config.h"

namespace tcpdiag {

/// Reads an HTTP client configuration file and the files that it names, whose relative names count from its
/// own directory. What they hold becomes the text of each TextSource; of a name, a password or a token,
/// without blanks and line ends around it. The detail of an error begins with `path`, and is never a secret.
Result<HttpConfig> read_http_config(const std::string& path);

}  // namespace tcpdiag
