// SPDX-License-Identifier: Apache-2.0
#include "collectors/sysctl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& spec : tcpdiag::sysctl_table()) (void)tcpdiag::parse_sysctl(spec, text);
  return 0;
}
