// SPDX-License-Identifier: Apache-2.0
#include "daemon/budget.h"

#include <algorithm>

namespace tcpdiag {

Stretch stretch_to_budget(Load load, double budget) {
  const double for_loop = std::min(load.loop, budget / 2);
  const double for_worker = budget - for_loop;
  return {.loop = std::max(1.0, load.loop / (budget / 2)), .worker = std::max(1.0, load.worker / for_worker)};
}

}  // namespace tcpdiag
