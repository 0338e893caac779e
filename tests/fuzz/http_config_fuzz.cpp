// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "cli/http_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(tcpdiag::parse_http_config("fuzz", {reinterpret_cast<const char*>(data), size}));
  return 0;
}
