// SPDX-License-Identifier: Apache-2.0
#include "core/listen_address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)tcpdiag::parse_listen_address({reinterpret_cast<const char*>(data), size});
  return 0;
}
