// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace tcpdiag {

/// What became of a random machine's course in the engine.
struct EngineOutcome {
  std::vector<std::string> faults;  ///< what no face may say, and where; empty: all is well
  std::set<std::string> findings;   ///< ids that were found at some time
};

/// Makes the snapshots of a machine (tests/random_machine.h), lets every rule judge them, and shows the
/// reports on every face: metrics, JSON, page, journal, log, terminal, and what the command makes of the
/// daemon's answer. Looks for numbers that are none, evidence below zero, and characters that are not shown
/// as core/utf8.h has it.
EngineOutcome run_engine(std::span<const std::uint8_t> bytes);

}  // namespace tcpdiag
