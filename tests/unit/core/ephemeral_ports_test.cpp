// SPDX-License-Identifier: Apache-2.0
#include "core/ephemeral_ports.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

Settings settings(std::vector<std::int64_t> range, std::string reserved) {
  return {.sysctls = {{"net.ipv4.ip_local_port_range", std::move(range), ""},
                      {"net.ipv4.ip_local_reserved_ports", {0}, std::move(reserved)}},
          .unread = {}};
}

}  // namespace

TEST_CASE("ephemeral ports are the local range with both ends") {
  CHECK(ephemeral_ports(settings({32768, 60999}, "")) == 28232);
  CHECK(ephemeral_ports(settings({5000, 5000}, "")) == 1);
  CHECK(ephemeral_ports(settings({0, 65535}, "")) == 65536);
}

TEST_CASE("reserved ports count once, and only those within the range") {
  CHECK(ephemeral_ports(settings({1000, 1009}, "999,1000,1005-1007,1006-1008,1010-2000")) == 5);
  CHECK(ephemeral_ports(settings({1000, 1009}, "1-65535")) == 0);
}

TEST_CASE("a kernel without reserved ports reserves none") {
  Settings without{.sysctls = {{"net.ipv4.ip_local_port_range", {1000, 1009}, ""}}, .unread = {}};
  CHECK(ephemeral_ports(without) == 10);
}

TEST_CASE("ephemeral ports are not known when either setting is not") {
  CHECK_FALSE(ephemeral_ports(Settings{}).has_value());
  CHECK_FALSE(ephemeral_ports(settings({32768}, "")).has_value());
  CHECK_FALSE(ephemeral_ports(settings({2000, 1000}, "")).has_value());
  CHECK_FALSE(ephemeral_ports(settings({-1, 70000}, "")).has_value());
  for (const auto* bad : {"x", "1-", "-1", "1,,2", "70000", "1-2-3"})
    CHECK_FALSE(ephemeral_ports(settings({1000, 1009}, bad)).has_value());
  Settings denied{.sysctls = {{"net.ipv4.ip_local_port_range", {1000, 1009}, ""}},
                  .unread = {{"net.ipv4.ip_local_reserved_ports", {Errc::denied, ""}}}};
  CHECK_FALSE(ephemeral_ports(denied).has_value());
}
