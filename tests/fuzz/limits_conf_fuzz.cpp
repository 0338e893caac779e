// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "collectors/limits_conf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = tcpdiag::parse_login_limits("f", text);
  const auto again = tcpdiag::parse_login_limits("f", tcpdiag::only_login_limits(text));
  if (parsed.limits.size() != again.limits.size() || parsed.ignored.size() != again.ignored.size())
    std::abort();
  for (std::size_t i = 0; i < parsed.limits.size(); ++i)
    if (parsed.limits[i].line != again.limits[i].line) std::abort();
  return 0;
}
