// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/http_answer.h"
#include "cli/http_url.h"
#include "daemon/clock.h"

namespace tcpdiag {

/// Asks for `path` below the URL's own and waits for the answer, all in all for at most `patience`; only a
/// resolver may take longer. Errors: the host is not known, does not answer in time, refuses, or does not
/// speak HTTP; the detail begins with host and port.
Result<HttpAnswer> http_get(const HttpUrl& url, const std::string& path, std::chrono::milliseconds patience,
                            const Clocks& clocks);

}  // namespace tcpdiag
