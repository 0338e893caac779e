// SPDX-License-Identifier: Apache-2.0
#include "collectors/sockstat.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto half = text.substr(0, size / 2);
  (void)tcpdiag::parse_socket_usage(half, text.substr(half.size()), 4096);
  return 0;
}
