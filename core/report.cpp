// SPDX-License-Identifier: Apache-2.0
#include "core/report.h"

namespace tcpdiag {

std::vector<const Incident*> open_incidents(const Report& report) {
  std::vector<const Incident*> open;
  for (const auto& incident : report.incidents)
    if (incident.is_open()) open.push_back(&incident);
  return open;
}

}  // namespace tcpdiag
