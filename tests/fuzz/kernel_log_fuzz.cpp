// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto record = tcpdiag::parse_kernel_record(text)) (void)tcpdiag::unescape(record->escaped);
  return 0;
}
