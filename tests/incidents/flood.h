// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/incidents/processes.h"

namespace tcpdiag::incidents {

/// SYNs to 192.0.2.1 or 2001:db8::1 from addresses of the same link, none of which ever answers. The stage
/// has called add_link_to_nowhere().
class Flood {
 public:
  Flood(std::uint16_t port, bool v6) : port_(port), v6_(v6) {}

  /// Sends that many at once.
  void send(unsigned count);
  /// Goes on with that many each second until it is stopped.
  void go_on(unsigned per_second);
  void stop() { process_.end(); }

 private:
  std::uint16_t port_;
  bool v6_;
  unsigned sent_ = 0;
  Process process_;
};

}  // namespace tcpdiag::incidents
