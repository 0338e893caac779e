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

std::vector<std::vector<double>> stretch_groups_to_budget(const std::vector<std::vector<double>>& loads,
                                                          double budget) {
  std::vector<double> sums;
  sums.reserve(loads.size());
  for (const auto& group : loads) sums.push_back(std::accumulate(group.begin(), group.end(), 0.0));
  const auto of_groups = stretch_to_budget(sums, budget);
  std::vector<std::vector<double>> stretches;
  stretches.reserve(loads.size());
  for (std::size_t i = 0; i < loads.size(); ++i)
    stretches.push_back(stretch_to_budget(loads[i], of_groups[i] > 1 ? sums[i] / of_groups[i] : budget));
  return stretches;
}

}  // namespace tcpdiag
