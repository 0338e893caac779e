// SPDX-License-Identifier: Apache-2.0
#include "core/facts/processes.h"

namespace tcpdiag {

std::optional<double> Process::fd_ratio() const {
  if (!open_fds || !soft_limit || *soft_limit == 0) return std::nullopt;
  return static_cast<double>(*open_fds) / static_cast<double>(*soft_limit);
}

}  // namespace tcpdiag
