// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "tests/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto outcome = tcpdiag::run_engine({data, size});
  for (const auto& fault : outcome.faults) std::fprintf(stderr, "%s\n", fault.c_str());
  if (!outcome.faults.empty()) __builtin_trap();
  return 0;
}
