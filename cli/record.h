// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/netns_choice.h"
#include "core/result.h"
#include "daemon/clock.h"

namespace tcpdiag {

/// What `tcpdiag record` shall do.
struct RecordOptions {
  std::filesystem::path directory;
  std::chrono::milliseconds duration = std::chrono::seconds(30);
  std::vector<std::string> namespaces;  ///< as parse_namespaces(), beside the own one
};

/// How a recording went.
struct Recorded {
  std::size_t ticks = 0;
  std::size_t namespaces = 0;         ///< at most at a time, the program's own included
  std::vector<std::string> failures;  ///< of each collector's latest run: "collector (netns): where: what"
  bool anything = false;              ///< at least one collector has succeeded
};

/// Runs every collector in the program's own namespace and in those that were chosen, at its period, and
/// writes down what they read, until the duration is over or SIGINT or SIGTERM asks to stop; a recording that
/// was stopped is whole. Errors: the directory cannot be written.
Result<Recorded> record(const RecordOptions& options, const NetnsChoice& netns, const Clocks& clocks);

/// "recorded 301 ticks of 2 namespaces into DIR; failed: kernel_log: /dev/kmsg: Operation not permitted". One
/// line; of many failures only the first are named.
std::string to_line(const Recorded& recorded, const RecordOptions& options);

}  // namespace tcpdiag
