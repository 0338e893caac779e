// SPDX-License-Identifier: Apache-2.0
#include "collectors/netlink.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t shown = 0;
  (void)tcpdiag::parse_dump(std::as_bytes(std::span(data, size)), 0,
                            [&](std::span<const std::byte> payload) { shown += payload.size(); });
  if (shown > size) __builtin_trap();
  return 0;
}
