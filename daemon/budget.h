// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tcpdiag {

/// What collecting costs, as shares of one core at the collectors' own periods.
struct Load {
  double loop = 0;
  double worker = 0;
};

/// By how much the periods are stretched: 1 leaves them as they are.
struct Stretch {
  double loop = 1;
  double worker = 1;
};

/// Keeps both loads together under `budget`, a share of one core above 0. The worker's collectors, the
/// expensive ones, give way first; the loop's only when they alone take more than half of the budget.
Stretch stretch_to_budget(Load load, double budget);

}  // namespace tcpdiag
