// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "cli/check_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer = tcpdiag::parse_findings({reinterpret_cast<const char*>(data), size});
  if (answer) static_cast<void>(to_text(*answer, tcpdiag::LookedBy::daemon, {}));
  return 0;
}
