// SPDX-License-Identifier: Apache-2.0
#include "daemon/nearest_name.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("the nearest name is offered as a question, or all names are listed") {
  const std::vector<std::string> known = {"record", "replay"};
  CHECK(did_you_mean("recrod", known) == "; did you mean \"record\"?");
  CHECK(did_you_mean("start", known) == "; allowed: record, replay");
}
