// SPDX-License-Identifier: Apache-2.0
#include "daemon/budget.h"

#include <numeric>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

double total(const std::vector<double>& loads, const std::vector<double>& stretches) {
  double sum = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) sum += loads[i] / stretches[i];
  return sum;
}

}  // namespace

TEST_CASE("loads within the budget are left alone") {
  CHECK(stretch_to_budget({0.004, 0, 0.006}, 0.01) == std::vector<double>{1, 1, 1});
  CHECK(stretch_to_budget({}, 0.01).empty());
}

TEST_CASE("one expensive collector is stretched and the cheap ones are not") {
  const std::vector<double> loads = {0.001, 0.5, 0.001};
  const auto stretches = stretch_to_budget(loads, 0.01);
  CHECK(stretches[0] == 1);
  CHECK(stretches[1] == Approx(0.5 / 0.008));
  CHECK(stretches[2] == 1);
  CHECK(total(loads, stretches) == Approx(0.01));
}

TEST_CASE("expensive collectors get even parts, however different they are") {
  const std::vector<double> loads = {0.04, 1, 0.002};
  const auto stretches = stretch_to_budget(loads, 0.01);
  CHECK(stretches[0] == Approx(0.04 / 0.004));
  CHECK(stretches[1] == Approx(1 / 0.004));
  CHECK(total(loads, stretches) == Approx(0.01));
}

TEST_CASE("a group that needs less than its share is left alone, however much another one needs") {
  const std::vector<std::vector<double>> loads = {{0.001, 0.002}, std::vector<double>(1000, 0.001)};
  const auto stretches = stretch_groups_to_budget(loads, 0.01);
  CHECK(stretches[0] == std::vector<double>{1, 1});
  CHECK(total(loads[1], stretches[1]) == Approx(0.007));
  const auto both = stretch_groups_to_budget({{0.02, 0.02}, {0.5}}, 0.01);
  CHECK(both == std::vector<std::vector<double>>{{8, 8}, {100}});
  CHECK(stretch_groups_to_budget({{}, {0.001}}, 0.01) == std::vector<std::vector<double>>{{}, {1}});
}
