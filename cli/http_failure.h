// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/http_config.h"
#include "cli/http_url.h"

namespace tcpdiag {

/// How far a request came.
enum class Reached {
  nothing,
  address,  ///< the name is resolved
  host,     ///< the connection is made
  server,   ///< TLS is agreed on
};

/// A request without an answer, as libcurl tells it.
struct HttpFailure {
  int code = 0;            ///< a CURLcode
  int system_error = 0;    ///< the errno of the last connection; 0: none
  long verify_result = 0;  ///< OpenSSL's X509_V_ERR_..., 0: the certificate is one that is trusted
  Reached reached = Reached::nothing;
  std::string said;           ///< libcurl's own words; may be empty
  std::string redirected_to;  ///< the URL that was asked last; empty: the one that was given
};

/// In the user's words: host and port, what is wrong, and what to do where that can be said.
Error to_error(const HttpFailure& failure, const HttpUrl& url, const HttpConfig& config);

/// What to do about an answer of this status; empty: nothing is known.
std::string advice_about(int status, const HttpConfig& config);

}  // namespace tcpdiag
