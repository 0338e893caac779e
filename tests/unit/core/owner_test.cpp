// SPDX-License-Identifier: Apache-2.0
#include "core/owner.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("an owner is called what people call it") {
  CHECK(to_string(Owner()).empty());
  CHECK(to_string(system_unit("nginx.service")) == "nginx.service");
  CHECK(to_string({.kind = OwnerKind::user_unit, .name = "app.service", .uid = 1000}) == "app.service");
  CHECK(to_string({.kind = OwnerKind::container, .runtime = "docker", .name = "0123456789ab"}) ==
        "docker:0123456789ab");
  CHECK(
      to_string({.kind = OwnerKind::container, .runtime = "lxc", .name = "web", .inner = "nginx.service"}) ==
      "lxc:web");
  CHECK(
      to_string({.kind = OwnerKind::container, .runtime = "nspawn", .name = "systemd-nspawn@web.service"}) ==
      "systemd-nspawn@web.service");
}

TEST_CASE("the kind and the label of an owner bring back what they say") {
  for (const auto& owner :
       {Owner{}, system_unit("sshd@3-192.0.2.5:22.service"),
        Owner{.kind = OwnerKind::container, .runtime = "docker", .name = "0123456789ab"},
        Owner{.kind = OwnerKind::container, .runtime = "nspawn", .name = "systemd-nspawn@a:b.service"},
        Owner{.kind = OwnerKind::machine, .runtime = "qemu", .name = "vm:1"},
        Owner{.kind = OwnerKind::session, .runtime = {}, .name = "session-3.scope"},
        Owner{.kind = OwnerKind::other, .runtime = {}, .name = "a:b"}})
    CHECK(named_owner(owner.kind, to_string(owner)) == owner);
}

TEST_CASE("the name of a unit is what systemd takes for one") {
  for (const auto& name : {"nginx.service", "getty@tty1.service", "a\\x2db.swap", "session-3.scope",
                           "-.mount", "sshd@3-192.0.2.5:22-198.51.100.9:51514.service"})
    CHECK(is_unit_name(name));
  for (const auto& name :
       {std::string("x;touch PWNED;.service"), std::string("$(id).service"), std::string("`id`.service"),
        std::string("a b.service"), std::string(".service"), std::string("nginx"), std::string("a/b.service"),
        std::string("@.service"), std::string("nginx.slice"), std::string(250, 'a') + ".service",
        std::string("\xc3\xa9.service"), std::string("a\n.service"), std::string()})
    CHECK_FALSE(is_unit_name(name));
}
