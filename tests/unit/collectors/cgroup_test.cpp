// SPDX-License-Identifier: Apache-2.0
#include "collectors/cgroup.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

Owner owner(const std::string& path) { return parse_cgroup_owner("0::" + path + "\n"); }
std::string unit(const std::string& path) { return to_string(owner(path)); }
std::string name_of(const std::string& text) { return to_string(parse_cgroup_owner(text)); }

}  // namespace

TEST_CASE("a systemd unit is the innermost one that holds processes") {
  CHECK(unit("/system.slice/nginx.service") == "nginx.service");
  CHECK(unit("/system.slice/system-getty.slice/getty@tty1.service") == "getty@tty1.service");
  CHECK(unit("/user.slice/user-1000.slice/session-3.scope") == "session-3.scope");
  CHECK(unit("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service") == "web.service");
  CHECK(unit("/user.slice/user-1000.slice/user@1000.service/init.scope") == "init.scope");
  CHECK(unit("/system.slice/nginx.service/workers/3") == "nginx.service");
  CHECK(unit("/system.slice/dev-disk\\x2duuid.swap") == "dev-disk\\x2duuid.swap");
  CHECK(unit("/system.slice/_cgroup.service") == "cgroup.service");
  CHECK(unit("/system.slice/gone.service (deleted)") == "gone.service");
  CHECK(unit("/../other.service") == "other.service");
}

TEST_CASE("a container is its runtime and the beginning of its id, also inside a unit or around one") {
  CHECK(unit("/docker/" + kId) == "docker:0123456789ab");
  CHECK(unit("/system.slice/docker-" + kId + ".scope") == "docker:0123456789ab");
  CHECK(unit("/system.slice/docker-" + kId + ".scope/system.slice/nginx.service") == "docker:0123456789ab");
  CHECK(unit("/machine.slice/libpod-" + kId + ".scope/container") == "podman:0123456789ab");
  CHECK(unit("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" + kId +
             ".scope") == "containerd:0123456789ab");
  CHECK(unit("/kubepods.slice/kubepods-pod1.slice/crio-" + kId + ".scope") == "crio:0123456789ab");
  CHECK(unit("/kubepods/burstable/pod0a1b/" + kId) == "container:0123456789ab");
  CHECK(unit("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" + kId) ==
        "containerd:0123456789ab");
  CHECK(unit("/machine.slice/other-" + kId + ".scope") == "container:0123456789ab");
}

TEST_CASE("the root group, slices and groups of nobody have no name") {
  for (const auto* path : {"/", "", "/system.slice", "/user.slice/user-0.slice", "/lxc", "/a:b", "/.service",
                           "/docker/0123456789ab"})
    CHECK(unit(path).empty());
  CHECK(unit("/docker/" + kId.substr(1)).empty());
}

TEST_CASE("cgroup v1 is read from systemd's own tree, and hybrid hosts from the tree that says something") {
  const std::string v1 = "12:pids:/system.slice/other.service\n1:name=systemd:/system.slice/ssh.service\n";
  CHECK(name_of(v1) == "ssh.service");
  CHECK(name_of(v1 + "0::/\n") == "ssh.service");
  CHECK(name_of(v1 + "0::/system.slice/new.service\n") == "new.service");
}

TEST_CASE("a unit is the host's where nothing but slices is above it") {
  CHECK(owner("/system.slice/nginx.service") == system_unit("nginx.service"));
  CHECK(owner("/init.scope") == system_unit("init.scope"));
  CHECK(owner("/system.slice/system-getty.slice/getty@tty1.service").kind == OwnerKind::system_unit);
  // what a service makes in its own group is no unit, whatever it is called
  CHECK(owner("/system.slice/app.service/nginx.service") == system_unit("app.service"));
  CHECK(owner("/garden/nginx.service").kind == OwnerKind::other);
  CHECK(owner("/../nginx.service").kind == OwnerKind::other);
  CHECK(owner("/user.slice/user-1000.slice/user@1000.service") == system_unit("user@1000.service"));
}

TEST_CASE("a name that no unit can have makes no unit") {
  CHECK(owner("/system.slice/x;touch PWNED;.service") ==
        named_owner(OwnerKind::other, "x;touch PWNED;.service"));
  CHECK(owner("/user.slice/user-7.slice/user@7.service/app.slice/$(id).service").kind == OwnerKind::other);
}

TEST_CASE("units of a user's systemd are that user's, and logins are told apart") {
  const auto web = owner("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service");
  CHECK(web.kind == OwnerKind::user_unit);
  CHECK(web.uid == 1000U);
  CHECK(web.name == "web.service");
  const auto session = owner("/user.slice/user-1000.slice/session-3.scope");
  CHECK(session.kind == OwnerKind::session);
  CHECK(session.uid == 1000U);
}

TEST_CASE("containers that boot like machines are told by their name, with the unit inside") {
  const auto check = [](const std::string& path, const std::string& label, const std::string& inner) {
    INFO(path);
    const auto found = owner(path);
    CHECK(found.kind == OwnerKind::container);
    CHECK(to_string(found) == label);
    CHECK(found.inner == inner);
    CHECK_FALSE(found.nested);
  };
  check("/lxc/web/system.slice/nginx.service", "lxc:web", "nginx.service");
  check("/lxc/101/ns/system.slice/nginx.service", "lxc:101", "nginx.service");
  check("/lxc.payload.web/init.scope", "lxc:web", "init.scope");
  check("/lxc.payload/web/system.slice/nginx.service", "lxc:web", "nginx.service");
  check("/lxc.monitor.web", "lxc:web", "");
  check("/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
        "systemd-nspawn@web.service", "nginx.service");
  check("/machine.slice/machine-web.scope/payload/system.slice/nginx.service", "nspawn:web", "nginx.service");
  check("/machine.slice/machine-rkt\\x2d12.scope/system.slice/app.service", "rkt:12", "app.service");
  check("/machine.slice/machine-lxc\\x2d3\\x2dbox.scope", "libvirt-lxc:box", "");
  CHECK(owner("/machine.slice/systemd-nspawn@web.service/supervisor") ==
        system_unit("systemd-nspawn@web.service"));
  const auto machine = owner("/machine.slice/machine-qemu\\x2d2\\x2ddb\\x2d1.scope/libvirt/emulator");
  CHECK(machine.kind == OwnerKind::machine);
  CHECK(to_string(machine) == "qemu:db-1");
  CHECK(unit("/machine/old.libvirt-qemu") == "qemu:old");
}

TEST_CASE("the innermost container counts, and whether the host's runtime can know it") {
  const auto inner = owner("/docker/" + kId + "/kubelet/kubepods/podab/" + std::string(64, 'a'));
  CHECK(to_string(inner) == "container:aaaaaaaaaaaa");
  CHECK(inner.nested);
  CHECK(owner("/lxc/107/ns/system.slice/docker-" + kId + ".scope").nested);
  CHECK(owner("/system.slice/app.service/docker-" + kId + ".scope").nested);
  CHECK(owner("/../docker-" + kId + ".scope").nested);
  CHECK_FALSE(owner("/docker/" + kId).nested);
  const auto rootless =
      owner("/user.slice/user-7.slice/user@7.service/user.slice/libpod-" + kId + ".scope/container");
  CHECK(to_string(rootless) == "podman:0123456789ab");
  CHECK(rootless.uid == 7U);
}

TEST_CASE("runtimes that make groups themselves name them like their scopes") {
  CHECK(unit("/kubepods/besteffort/pod1/crio-" + kId) == "crio:0123456789ab");
  CHECK(unit("/libpod_parent/libpod-" + kId) == "podman:0123456789ab");
  CHECK(unit("/ecs/task/" + kId) == "container:0123456789ab");
  CHECK(unit("/tools/other-" + kId).empty());
}

TEST_CASE("on hosts with both hierarchies a container may be in that of a controller alone") {
  const std::string docker = "4:pids:/docker/" + kId + "\n";
  CHECK(name_of(docker +
                "1:name=systemd:/system.slice/containerd.service\n0::/system.slice/containerd.service\n") ==
        "docker:0123456789ab");
  CHECK(name_of(docker + "1:name=openrc:/docker\n") == "docker:0123456789ab");
  CHECK(name_of(docker + "1:name=systemd:/\n") == "docker:0123456789ab");
  CHECK(name_of("4:pids:/system.slice/app.service\n").empty());  // units are systemd's own tree's to tell
}

TEST_CASE("a cgroup file that is empty, cut or garbled gives a name from it or none") {
  for (const auto* text : {"", "\n", "garbage", "0:", "0::", ":::", "0:/x.service", "1:name=systemd"})
    CHECK(name_of(text).empty());
  const std::string whole = "0::/system.slice/docker-" + kId + ".scope\n";
  const auto id_ends = whole.find(".scope");  // there it is like that of a runtime without systemd
  for (std::size_t length = 0; length + 1 < whole.size(); ++length)
    CHECK(name_of(whole.substr(0, length)).empty() == (length != id_ends));
}

TEST_CASE("a unit in a slice that is not root's is none of the host's") {
  const auto owner_of = [](const std::string& text, const std::string& path, std::uint32_t user) {
    FakeSource source;
    source.files["/proc/7/cgroup"] = text;
    source.owners["/sys/fs/cgroup" + path] = user;
    return *read_cgroup_owner(source, "/proc/7");
  };
  const auto forged = named_owner(OwnerKind::other, "nginx.service");
  const std::string v2 = "0::/x.slice/nginx.service/workers\n";
  const std::string v1 = "1:name=systemd:/x.slice/nginx.service\n0::/\n";
  CHECK(owner_of(v2, "/x.slice", 0) == system_unit("nginx.service"));
  CHECK(owner_of(v2, "/x.slice", 1000) == forged);
  CHECK(owner_of(v2, "/x.slice/nginx.service", 1000) == system_unit("nginx.service"));  // Delegate=, User=
  CHECK(owner_of(v2, "/unified/x.slice", 1000) == forged);
  CHECK(owner_of(v1, "/systemd/x.slice", 1000) == forged);
  CHECK(owner_of(v1, "/systemd/x.slice", 0) == system_unit("nginx.service"));
  const std::string users = "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service";
  CHECK(owner_of("0::" + users + "\n", users, 1000).kind == OwnerKind::user_unit);
  CHECK_FALSE(read_cgroup_owner(*std::make_unique<FakeSource>(), "/proc/7"));
}
