// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/report.h"

namespace tcpdiag {

/// What `tcpdiag replay` shall do.
struct ReplayOptions {
  std::filesystem::path directory;
  bool metrics = false;  ///< show it as /metrics does, not as /api/v1/report
};

/// Runs the collectors on a recording, tick by tick as they ran when it was made, and returns what was known
/// at its end. Errors: it is no recording, or cannot be read. What is missing or broken inside of it is an
/// error of the section that needs it.
Result<Report> replay(const std::filesystem::path& directory);

}  // namespace tcpdiag
