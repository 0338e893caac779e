// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tcpdiag {

/// fs.file-nr: open files of the whole machine.
struct FileHandles {
  std::uint64_t open = 0;
  std::uint64_t max = 0;
};

}  // namespace tcpdiag
