// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "core/describe.h"

namespace tcpdiag {

/// fs.file-nr: open files of the whole machine.
struct FileHandles {
  std::uint64_t open = 0;
  std::uint64_t max = 0;
};
constexpr std::string_view collector_of(Type<FileHandles>) { return "file_handles"; }
constexpr auto members_of(Type<FileHandles>, auto member) {
  return std::tuple(member("open", &FileHandles::open), member("max", &FileHandles::max));
}

}  // namespace tcpdiag
