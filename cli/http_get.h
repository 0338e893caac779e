// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "cli/http_config.h"
#include "cli/http_url.h"

namespace tcpdiag {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// An answer's body is never larger than this.
inline constexpr std::size_t kMaxHttpAnswer = 16 << 20;

/// Asks for `path` below the URL's own and waits for the answer, all in all for at most `patience`. Errors:
/// the host is not known, refuses, does not answer in time, or is not who it should be; the detail begins
/// with host and port, says why and, where that is known, what to do.
Result<HttpAnswer> http_get(const HttpUrl& url, const std::string& path, const HttpConfig& config,
                            std::chrono::milliseconds patience);

}  // namespace tcpdiag
