// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_file.h"
#include "daemon/option_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto entries = tcpdiag::parse_config_file("fuzz", text);
  if (!entries) return 0;
  tcpdiag::Options options;
  for (const auto& entry : *entries) {
    for (const auto& row : tcpdiag::option_table()) (void)tcpdiag::set(row, entry.value, options);
  }
  return 0;
}
