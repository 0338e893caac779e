// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tcpdiag {

/// An answer of an HTTP/1 server, its body without the transfer's coding.
struct HttpAnswer {
  int status = 0;
  std::string body;

  bool operator==(const HttpAnswer&) const = default;
};

/// An answer is never larger than this.
inline constexpr std::size_t kMaxHttpAnswer = 16 << 20;

/// Reads what a server has sent so far (RFC 9112); `ended`: it sends no more. Empty: the answer is not whole
/// yet. Errors: it is not HTTP/1, ends before its time, or has a coding that this client does not know.
Result<std::optional<HttpAnswer>> parse_http_answer(std::string_view bytes, bool ended);

}  // namespace tcpdiag
