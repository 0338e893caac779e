// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "cli/netns_choice.h"
#include "core/report.h"
#include "daemon/clock.h"

namespace tcpdiag {

/// What a command wants to know about this host.
struct SampleOptions {
  std::vector<std::string_view> collectors;  ///< by their names in the catalogue; the others do not run
  NetnsChoice netns{};
};

/// How long a command looks before it answers: the daemon's collectors run, those of the worker three times,
/// so that owners are known on a host with many descriptors too.
inline constexpr std::chrono::milliseconds kSampleTime{1000};

/// What is known after looking at this host for kSampleTime: of the program's own namespace in any case.
Report sample(const SampleOptions& options, const Clocks& clocks);

/// The collectors whose latest run failed, each "collector (netns): where: what".
std::vector<std::string> failures_of(const Report& report);

}  // namespace tcpdiag
