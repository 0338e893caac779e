// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>

#include "exporters/http_pages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string header(reinterpret_cast<const char*>(data), size);
  // A coding that is listed in front decides, whatever follows it.
  if (!tcpdiag::accepts_gzip("gzip," + header)) __builtin_trap();
  if (tcpdiag::accepts_gzip("gzip;q=0," + header)) __builtin_trap();
  (void)tcpdiag::accepts_gzip(header);
  return 0;
}
