// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace tcpdiag {

/// By how much each collector's period must be stretched so that all of them together keep to `budget`, a
/// share of one core above 0. `loads` are what they cost at their own periods, as shares of one core. The
/// budget is dealt out evenly: who needs less than an even part is left alone (1), and what it leaves goes to
/// the others.
std::vector<double> stretch_to_budget(const std::vector<double>& loads, double budget);

/// The same for several groups: the budget is dealt out to the groups first, and then within each.
std::vector<std::vector<double>> stretch_groups_to_budget(const std::vector<std::vector<double>>& loads,
                                                          double budget);

}  // namespace tcpdiag
