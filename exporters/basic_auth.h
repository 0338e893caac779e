// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tcpdiag {

struct Credentials {
  std::string user, password;
};

/// The value of an Authorization header of the scheme Basic (RFC 7617). Empty: it is not one.
std::optional<Credentials> parse_basic_auth(std::string_view header);

}  // namespace tcpdiag
