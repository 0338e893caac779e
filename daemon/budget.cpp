// SPDX-License-Identifier: Apache-2.0
#include "daemon/budget.h"

#include <algorithm>
#include <numeric>

namespace tcpdiag {

std::vector<double> stretch_to_budget(const std::vector<double>& loads, double budget) {
  std::vector<std::size_t> order(loads.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return loads[a] < loads[b]; });

  std::vector<double> stretches(loads.size(), 1.0);
  auto waiting = static_cast<double>(loads.size());
  for (const auto index : order) {
    const double part = budget / waiting;
    stretches[index] = std::max(1.0, loads[index] / part);
    budget -= std::min(loads[index], part);
    --waiting;
  }
  return stretches;
}

}  // namespace tcpdiag
