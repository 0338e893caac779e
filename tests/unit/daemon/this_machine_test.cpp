// SPDX-License-Identifier: Apache-2.0
#include "daemon/this_machine.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("the host's namespace is always the first") {
  CHECK(with_host({"a", "b"}) == std::vector<std::string>{kHostNetns, "a", "b"});
  CHECK(with_host({}) == std::vector<std::string>{kHostNetns});
}
