// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "exporters/basic_auth.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)tcpdiag::parse_basic_auth({reinterpret_cast<const char*>(data), size});
  return 0;
}
