// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "collectors/source.h"
#include "core/facts/file_handles.h"

namespace tcpdiag {

/// Parses /proc/sys/fs/file-nr: handles allocated, handles allocated but unused, and the limit (fs.file-max).
Result<FileHandles> parse_file_handles(std::string_view text);

/// The machine's open files.
Result<FileHandles> read_file_handles(Source& source);

}  // namespace tcpdiag
