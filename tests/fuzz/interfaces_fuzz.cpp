// SPDX-License-Identifier: Apache-2.0
#include "collectors/interfaces.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)tcpdiag::parse_fib_trie(text);
  (void)tcpdiag::parse_if_inet6(text);
  (void)tcpdiag::parse_interface_names(text);
  return 0;
}
