// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/file_descriptor.h"
#include "core/result.h"

namespace tcpdiag {

/// Opens (O_PATH) the directory that a new one shall be made in, and makes (0700) the directories of the path
/// that are not there. Nobody but root and the caller can lead the way elsewhere: a link of somebody else's
/// is refused, and so is what lies in a directory in which others may rename it. The error names what is
/// refused. Empty: the working directory.
Result<FileDescriptor> open_ancestors(const std::filesystem::path& path);

}  // namespace tcpdiag
