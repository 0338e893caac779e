// SPDX-License-Identifier: Apache-2.0
#include "daemon/socket_activation.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("sockets are inherited by the process that they are for") {
  CHECK(inherited_sockets("2", "812", 812) == std::vector{3, 4});
  CHECK(inherited_sockets("2", "813", 812).empty());
  CHECK(inherited_sockets("2", nullptr, 812).empty());
  CHECK(inherited_sockets(nullptr, "812", 812).empty());
}

TEST_CASE("a number of sockets that cannot be is none") {
  for (const auto* fds : {"", "0", "-1", "1x", "65", "99999999999999999999"})
    CHECK(inherited_sockets(fds, "812", 812).empty());
}
