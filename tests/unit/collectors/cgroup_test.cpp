// SPDX-License-Identifier: Apache-2.0
#include "collectors/cgroup.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

std::string unit(const std::string& path) { return parse_cgroup_unit("0::" + path + "\n"); }

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
  for (const auto* path : {"/", "", "/system.slice", "/user.slice/user-0.slice", "/lxc/box", "/a:b",
                           "/.service", "/docker/0123456789ab"})
    CHECK(unit(path).empty());
  CHECK(unit("/docker/" + kId.substr(1)).empty());
}

TEST_CASE("cgroup v1 is read from systemd's own tree, and hybrid hosts from the tree that says something") {
  const std::string v1 = "12:pids:/system.slice/other.service\n1:name=systemd:/system.slice/ssh.service\n";
  CHECK(parse_cgroup_unit(v1) == "ssh.service");
  CHECK(parse_cgroup_unit(v1 + "0::/\n") == "ssh.service");
  CHECK(parse_cgroup_unit(v1 + "0::/system.slice/new.service\n") == "new.service");
}

TEST_CASE("a cgroup file that is empty, cut or garbled gives a name from it or none") {
  for (const auto* text : {"", "\n", "garbage", "0:", "0::", ":::", "0:/x.service", "1:name=systemd"})
    CHECK(parse_cgroup_unit(text).empty());
  const std::string whole = "0::/system.slice/docker-" + kId + ".scope\n";
  for (std::size_t length = 0; length + 1 < whole.size(); ++length)
    CHECK(parse_cgroup_unit(whole.substr(0, length)).empty());
}
