// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "cli/http_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool ended : {false, true}) static_cast<void>(tcpdiag::parse_http_answer(bytes, ended));
  return 0;
}
