// SPDX-License-Identifier: Apache-2.0
#include "tests/engine.h"

#include "diagnosis/catalog.h"
#include "tests/catch.h"
#include "tests/choices.h"

using namespace tcpdiag;

TEST_CASE("whatever the kernel and its users say, every face stays whole") {
  constexpr std::uint32_t kMachines = 25;
  constexpr std::size_t kBytes = 16384;
  std::set<std::string> found;
  for (std::uint32_t seed = 0; seed < kMachines; ++seed) {
    const auto outcome = run_engine(bytes_of_seed(seed, kBytes));
    INFO("machine " << seed);
    for (const auto& fault : outcome.faults) FAIL_CHECK(fault);
    found.insert(outcome.findings.begin(), outcome.findings.end());
  }
  CHECK(found.size() > rule_catalog().size() / 3);  // else these machines are in too little trouble
}
