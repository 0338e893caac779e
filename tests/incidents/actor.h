// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "tests/incidents/processes.h"

namespace tcpdiag::incidents {

/// A program of the stage that is written where it is used: `body` runs in a process named `comm`, in the
/// network namespace of that name (empty: the caller's), and tells what it does through the tally, whose
/// members are atomics.
template <class Tally>
class Actor {
 public:
  Actor(const std::string& comm, const std::string& netns, const std::function<void(Tally&)>& body)
      : process_(comm, netns, [&body, tally = tally_.get()] { body(*tally); }) {}

  Tally* operator->() const { return tally_.get(); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  /// Kills it; its sockets are closed then.
  void end() { process_.end(); }

 private:
  Shared<Tally> tally_;
  Process process_;
};

}  // namespace tcpdiag::incidents
