// SPDX-License-Identifier: Apache-2.0
#include "daemon/budget.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("loads within the budget are left alone") {
  const auto stretch = stretch_to_budget({.loop = 0.004, .worker = 0.006}, 0.01);
  CHECK(stretch.loop == 1);
  CHECK(stretch.worker == 1);
}

TEST_CASE("the worker gives way first, down to what the loop leaves") {
  const auto stretch = stretch_to_budget({.loop = 0.002, .worker = 0.08}, 0.01);
  CHECK(stretch.loop == 1);
  CHECK(stretch.worker == Approx(10));
}

TEST_CASE("the loop gives way when it alone takes more than half of the budget") {
  const auto stretch = stretch_to_budget({.loop = 0.02, .worker = 0.02}, 0.01);
  CHECK(stretch.loop == Approx(4));
  CHECK(stretch.worker == Approx(4));
}
