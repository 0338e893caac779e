// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/describe.h"

namespace tcpdiag {

/// fs.file-nr: open files of the whole machine.
struct FileHandles {
  std::uint64_t open = 0;
  std::uint64_t max = 0;
};
constexpr auto members_of(Type<FileHandles>) {
  return std::tuple(Member("open", &FileHandles::open), Member("max", &FileHandles::max));
}

}  // namespace tcpdiag
