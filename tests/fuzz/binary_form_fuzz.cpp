// SPDX-License-Identifier: Apache-2.0
#include "core/binary_form.h"
#include "core/sections.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tcpdiag;
  const auto snapshot = from_binary<Snapshot>({reinterpret_cast<const char*>(data), size});
  if (!snapshot) return 0;
  const auto bytes = to_binary(*snapshot);  // not the same: what is not known was passed over
  const auto again = from_binary<Snapshot>(bytes);
  if (!again || to_binary(*again) != bytes) __builtin_trap();
  return 0;
}
