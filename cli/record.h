// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "daemon/clock.h"

namespace tcpdiag {

/// What `tcpdiag record` shall do.
struct RecordOptions {
  std::filesystem::path directory;
  std::chrono::milliseconds duration = std::chrono::seconds(30);
  std::vector<std::string> namespaces;  ///< beside the program's own
};

/// Runs every collector at its period and writes down what they read, until the duration is over or SIGINT or
/// SIGTERM asks to stop; a recording that was stopped is whole. Errors: the directory cannot be written.
Result<void> record(const RecordOptions& options, const Clocks& clocks);

}  // namespace tcpdiag
