// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "tests/incidents/processes.h"
#include "tests/incidents/scenario.h"

namespace tcpdiag::incidents {

/// A program under test at work in a namespace of the stage, with what it prints kept.
class Program {
 public:
  /// `name` names its log.
  Program(const std::string& name, Side side, const std::vector<std::string>& words);
  /// All that it has printed.
  [[nodiscard]] std::string log() const;
  /// Asks it to end, and waits until it has.
  void stop();
  [[nodiscard]] pid_t pid() const { return process_.pid(); }

 private:
  std::filesystem::path log_;
  Process process_;
};

/// The real tcpdiagd, on the port that a Watch asks.
Program start_daemon(const std::filesystem::path& programs, Side side, bool finds_containers);
/// `tcpdiag record` until it is stopped.
Program start_recording(const std::filesystem::path& programs, Side side,
                        const std::filesystem::path& directory);

}  // namespace tcpdiag::incidents
