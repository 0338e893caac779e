// SPDX-License-Identifier: Apache-2.0
#include "cli/record.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("what was recorded and what failed is one line") {
  const RecordOptions options{.directory = "d"};
  CHECK(to_line({.ticks = 1, .namespaces = 1}, options) == "recorded 1 tick of 1 namespace into d");
  CHECK(to_line({.ticks = 3, .namespaces = 2, .failures = {"netstat (a): /x: gone\n", "kernel_log: denied"}},
                options) ==
        "recorded 3 ticks of 2 namespaces into d; failed: netstat (a): /x: gone\\n; kernel_log: denied");
}

TEST_CASE("of many failures the first are named and the rest is counted") {
  Recorded recorded{.ticks = 2, .namespaces = 1};
  recorded.failures.assign(10, "f");
  CHECK(to_line(recorded, {.directory = "d"}) ==
        "recorded 2 ticks of 1 namespace into d; failed: f; f; f; f; f; f; f; f; and 2 more");
}
