// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/owner_values.h"

#include "diagnosis/commands.h"
#include "tests/catch.h"

using namespace tcpdiag;

namespace {

std::string restart(const Owner& owner) {
  Values values;
  add_owner_values(values, owner);
  return command_of({.command = kRestartCommand}, values);
}

Owner container(std::string runtime, std::string name) {
  return {.kind = OwnerKind::container, .runtime = std::move(runtime), .name = std::move(name)};
}

}  // namespace

TEST_CASE("whoever keeps a process is who restarts it") {
  CHECK(restart(system_unit("nginx.service")) == "systemctl restart -- nginx.service");
  CHECK(restart(system_unit("a\\x2db.service")) == "systemctl restart -- 'a\\x2db.service'");
  CHECK(restart({.kind = OwnerKind::user_unit, .name = "app.service", .uid = 1000}) ==
        "systemctl --user -M 1000@ restart -- app.service");
  CHECK(restart(container("docker", "0123456789ab")) == "docker restart 0123456789ab");
  CHECK(restart(container("podman", "0123456789ab")) == "podman restart 0123456789ab");
}

TEST_CASE("where nothing exact is known there is no command") {
  for (const auto& owner :
       {Owner{}, system_unit("x.scope"), system_unit("user@1000.service"),
        container("containerd", "0123456789ab"), container("container", "0123456789ab"),
        container("lxc", "web"), container("nspawn", "systemd-nspawn@web.service"),
        Owner{.kind = OwnerKind::machine, .runtime = "qemu", .name = "vm"},
        named_owner(OwnerKind::session, "session-3.scope"), named_owner(OwnerKind::other, "nginx.service"),
        Owner{.kind = OwnerKind::user_unit, .name = "app.service"}})
    CHECK(restart(owner).empty());
}

TEST_CASE("a container that the host's runtime does not know is not restarted by name") {
  auto inner = container("docker", "0123456789ab");
  inner.nested = true;
  CHECK(restart(inner).empty());
  auto rootless = container("podman", "0123456789ab");
  rootless.uid = 1000;
  CHECK(restart(rootless).empty());
}

TEST_CASE("a name that is no unit's gets no advice about units") {
  for (const auto* name : {"x;touch PWNED;.service", "$(id).service", "a b.service"})
    CHECK(restart(system_unit(name)).empty());
  CHECK(restart(system_unit("--help.service")) == "systemctl restart -- --help.service");
}
