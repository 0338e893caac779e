// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tests/incidents/outcome.h"
#include "tests/incidents/scenario.h"

namespace tcpdiag::incidents {

struct PlayOptions {
  std::filesystem::path programs;   ///< where tcpdiagd and tcpdiag are
  bool stage_only = false;          ///< no daemon: only whether it can be staged
  std::filesystem::path keep_logs;  ///< of failures: directory for answers, logs and reports; empty: not kept
  std::filesystem::path record;     ///< directory for recordings; empty: none is made
};

/// Stages the scenario in the namespaces of the calling process, which are its own, with a daemon beside it,
/// and judges what the daemon says. `on_step` is told what is being done.
Outcome play(const Scenario& scenario, const PlayOptions& options,
             const std::function<void(const std::string&)>& on_step);

}  // namespace tcpdiag::incidents
