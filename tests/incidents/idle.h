// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/facts/connections.h"
#include "tests/incidents/acceptor.h"
#include "tests/incidents/processes.h"

namespace tcpdiag::incidents {

/// Connections between two processes that say nothing.
class IdleConnections {
 public:
  explicit IdleConnections(unsigned count, std::uint16_t port = 5000);
  /// Whether the server has accepted all of them.
  [[nodiscard]] bool complete() const { return server_.accepted() == count_; }

 private:
  unsigned count_;
  Acceptor server_;
  Process client_;
};

}  // namespace tcpdiag::incidents
