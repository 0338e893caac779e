// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "collectors/docker_ports.h"
#include "core/listen_address.h"
#include "core/utf8.h"
#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

using Json = nlohmann::json;

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kOther = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
constexpr std::uint64_t kInode = 4026532281;

const std::string kK8s = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/";
const std::string kStore = "/var/lib/containers/storage/overlay-containers/";
const std::string kRunStore = "/run/containers/storage/overlay-containers/";
const std::string kDocker = "/var/lib/docker/containers/";

/// As Docker 20.10 and 27 write it, without most of what does not matter here.
std::string docker_config(const std::string& name, int pid, const Json& labels = Json::object(),
                          const Json& ports = Json::object()) {
  return Json{{"StreamConfig", Json::object()},
              {"State", {{"Running", true}, {"Paused", false}, {"Pid", pid}, {"ExitCode", 0}}},
              {"ID", kId},
              {"Config",
               {{"Hostname", "0123456789ab"},
                {"Env", {"PASSWORD=secret", "PATH=/bin"}},
                {"Cmd", {"gunicorn", "-b", "0.0.0.0:5000"}},
                {"Image", "shop:1.2"},
                {"Labels", labels}}},
              {"Image", "sha256:" + kOther},
              {"NetworkSettings",
               {{"Networks", {{"bridge", {{"IPAddress", "172.17.0.2"}, {"Gateway", "172.17.0.1"}}}}},
                {"SandboxKey", "/var/run/docker/netns/3f1c0a9b2d4e"},
                {"Ports", ports}}},
              {"Name", "/" + name},
              {"MountPoints", Json::object()},
              {"RestartCount", 0}}
      .dump();
}

/// An OCI bundle's, with the lists of system calls in which most of its bytes are.
std::string oci_config(const Json& annotations) {
  return Json{
      {"ociVersion", "1.1.0"},
      {"process", {{"user", {{"uid", 0}}}, {"args", {"/pause"}}, {"env", {"TOKEN=secret"}}}},
      {"root", {{"path", "rootfs"}}},
      {"hostname", "checkout-7d9f"},
      {"annotations", annotations},
      {"linux",
       {{"namespaces", {{{"type", "network"}, {"path", "/var/run/netns/cni-1"}}}},
        {"seccomp", {{"syscalls", {{{"names", {"accept", "bind"}}, {"action", "SCMP_ACT_ALLOW"}}}}}}}}}
      .dump();
}

Json containerd_annotations(const std::string& type) {
  Json annotations{{"io.kubernetes.cri.container-type", type},
                   {"io.kubernetes.cri.sandbox-id", kOther},
                   {"io.kubernetes.cri.sandbox-name", "checkout-7d9f"},
                   {"io.kubernetes.cri.sandbox-namespace", "payments"},
                   {"io.kubernetes.cri.sandbox-uid", "5f1c"}};
  if (type == "container") {
    annotations["io.kubernetes.cri.container-name"] = "app";
    annotations["io.kubernetes.cri.image-name"] = "registry.local/checkout:7";
  }
  return annotations;
}

/// containers/storage, as podman 4.3 has it.
std::string stored_containers(const std::string& id, const std::string& name) {
  return Json::array({{{"id", kOther},
                       {"names", {"older", "alias"}},
                       {"image", "61b8"},
                       {"layer", "77ab"},
                       {"metadata", "{\"image-name\":\"docker.io/library/redis:7\"}"},
                       {"created", "2026-05-01T10:00:00Z"},
                       {"flags", {{"MountLabel", ""}, {"ProcessLabel", ""}}}},
                      {{"id", id},
                       {"names", {name}},
                       {"image", "61b8"},
                       {"metadata",
                        "{\"image-name\":\"docker.io/library/nginx:1.27\",\"image-id\":\"61b8\","
                        "\"name\":\"" +
                            name + "\",\"created-at\":1}"}}})
      .dump();
}

struct Machine : FakeSource {
  std::size_t reads = 0;

  Result<std::string> read(const std::string& path) override {
    ++reads;
    return FakeSource::read(path);
  }

  /// A process in a control group (v2).
  void process(std::int32_t pid, const std::string& group, std::uint64_t inode = kInode) {
    files["/proc/" + std::to_string(pid) + "/cgroup"] = "0::" + group + "\n";
    links["/proc/" + std::to_string(pid) + "/ns/net"] = "net:[" + std::to_string(inode) + "]";
  }
};

FoundNetns netns(std::int32_t pid, std::uint64_t generation = 1, std::uint64_t inode = kInode) {
  return {.inode = inode,
          .generation = generation,
          .anchor_pid = pid,
          .anchor_start_ticks = pid == 0 ? 0U : 500U,
          .processes = pid == 0 ? 0U : 1U};
}

FoundNetns mounted(const std::string& path) {
  auto found = netns(0);
  found.mount = path;
  return found;
}

FoundNetns own() { return {.inode = 4026531840, .anchor_pid = 1, .kind = NetnsKind::host}; }

NetnsName looked_for(Source& source, const FoundNetns& found) {
  ContainerFiles files(source);
  return name_netns(source, files, found);
}

/// Of process 60, which lives in that control group.
NetnsName in_group(Machine& machine, const std::string& group) {
  machine.process(60, group);
  return looked_for(machine, netns(60));
}

std::vector<std::string> names_of(const NetnsList& list) {
  std::vector<std::string> names;
  for (const auto& found : list.namespaces) names.push_back(found.name);
  return names;
}

/// A list of the daemon's own namespace and these.
NetnsList list_of(std::vector<FoundNetns> others) {
  NetnsList list;
  list.namespaces.push_back(own());
  for (auto& other : others) list.namespaces.push_back(std::move(other));
  return list;
}

std::vector<std::string> named(NetnsNames& names, Source& source, std::vector<FoundNetns> others) {
  auto list = list_of(std::move(others));
  names.name(source, list);
  auto all = names_of(list);
  CHECK(all.front() == "host");
  all.erase(all.begin());
  return all;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a Docker container has its name, image and labels of compose from Docker's own file") {
  Machine machine;
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("shop", 60,
                                                                   {{"com.docker.compose.project", "store"},
                                                                    {"com.docker.compose.service", "web"},
                                                                    {"com.docker.compose.version", "2.27"}});
  for (const auto& group : {"/docker/" + kId, "/system.slice/docker-" + kId + ".scope"}) {
    const auto [found, inner, published, settled, ended] = in_group(machine, group);
    CHECK(settled);
    CHECK(found.name == "shop");
    CHECK(found.kind == NetnsKind::docker);
    CHECK(found.runtime == "docker");
    CHECK(found.container == "0123456789ab");
    CHECK(found.image == "shop:1.2");
    CHECK(found.compose_project == "store");
    CHECK(found.compose_service == "web");
    CHECK(found.pod.empty());
  }
}

TEST_CASE("Docker's containers are where its settings say, unless these say nothing") {
  CHECK(parse_docker_data_root("{\"debug\": true, \"data-root\": \"/srv/docker\"}\n") == "/srv/docker");
  for (const auto* text : {"", "{", "{}", "[]", "{\"data-root\": 1}", "{\"data-root\": \"relative\"}",
                           "{\"x\": {\"data-root\": \"/srv\"}}", "{\"data-root\": \"/a\\u0000b\"}"})
    CHECK(parse_docker_data_root(text) == "/var/lib/docker");
  Machine machine;
  machine.files["/etc/docker/daemon.json"] = "{\"data-root\": \"/srv/docker\"}";
  machine.files["/srv/docker/containers/" + kId + "/config.v2.json"] = docker_config("shop", 60);
  CHECK(in_group(machine, "/docker/" + kId).netns.name == "shop");
}

TEST_CASE("a pod is called by its Kubernetes namespace and its name, whichever of its containers is asked") {
  const auto group = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kId + ".scope";
  for (const auto* type : {"sandbox", "container"}) {
    Machine machine;
    machine.files[kK8s + kId + "/config.json"] = oci_config(containerd_annotations(type));
    machine.files[kK8s + kId + "/init.pid"] = "60";
    const auto [found, inner, published, settled, ended] = in_group(machine, group);
    CHECK(settled);
    CHECK(found.name == "payments/checkout-7d9f");
    CHECK(found.kind == NetnsKind::kubernetes);
    CHECK(found.runtime == "containerd");
    CHECK(found.pod == "checkout-7d9f");
    CHECK(found.pod_namespace == "payments");
    CHECK(found.image == (std::string(type) == "sandbox" ? "" : "registry.local/checkout:7"));
  }
}

TEST_CASE("a group of the kubelet does not tell the runtime, its files do") {
  Machine machine;
  machine.files["/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" + kId + "/config.json"] =
      oci_config(containerd_annotations("sandbox"));
  const auto found = in_group(machine, "/kubepods/burstable/pod0a1b/" + kId).netns;
  CHECK(found.name == "payments/checkout-7d9f");
  CHECK(found.runtime == "containerd");
}

TEST_CASE("a pod of CRI-O is found, and what a user wrote into its annotations does not count") {
  Machine machine;
  machine.files[kRunStore + kId + "/userdata/config.json"] =
      oci_config({{"io.kubernetes.cri-o.ContainerType", "sandbox"},
                  {"io.kubernetes.cri-o.KubeName", "checkout-7d9f"},
                  {"io.kubernetes.cri-o.Namespace", "payments"},
                  {"io.kubernetes.cri-o.ImageName", "registry.k8s.io/pause:3.9"},
                  {"io.kubernetes.pod.name", "coredns"},
                  {"io.kubernetes.pod.namespace", "kube-system"}});
  machine.files[kRunStore + kId + "/userdata/pidfile"] = "60\n";
  const auto found = in_group(machine, "/kubepods.slice/kubepods-pod1.slice/crio-" + kId + ".scope").netns;
  CHECK(found.name == "payments/checkout-7d9f");
  CHECK(found.kind == NetnsKind::kubernetes);
  CHECK(found.runtime == "crio");
  CHECK(found.image.empty());
}

TEST_CASE("a pod of Docker is found by the labels that the kubelet gave it") {
  Machine machine;
  machine.files[kDocker + kId + "/config.v2.json"] =
      docker_config("k8s_POD_checkout-7d9f_payments_5f1c_0", 60,
                    {{"io.kubernetes.docker.type", "podsandbox"},
                     {"io.kubernetes.pod.name", "checkout-7d9f"},
                     {"io.kubernetes.pod.namespace", "payments"}});
  const auto found = in_group(machine, "/kubepods/pod1/" + kId).netns;
  CHECK(found.name == "payments/checkout-7d9f");
  CHECK(found.runtime == "docker");
  CHECK(found.image.empty());
}

TEST_CASE("a container of nerdctl has the name that it was given") {
  Machine machine;
  machine.files["/run/containerd/io.containerd.runtime.v2.task/default/" + kId + "/config.json"] =
      oci_config({{"nerdctl/name", "shop"}, {"nerdctl/namespace", "default"}});
  const auto found = in_group(machine, "/system.slice/nerdctl-" + kId + ".scope").netns;
  CHECK(found.name == "shop");
  CHECK(found.kind == NetnsKind::containerd);
}

TEST_CASE("a podman container has its name from the list of containers, also when it is removed at its end") {
  const auto group = "/machine.slice/libpod-" + kId + ".scope/container";
  for (const auto& file : {kStore + "containers.json", kStore + "volatile-containers.json",
                           kRunStore + "volatile-containers.json"}) {
    Machine machine;
    machine.files[file] = stored_containers(kId, "shop");
    machine.files[kRunStore + kId + "/userdata/pidfile"] = "60";
    machine.files[kRunStore + kId + "/userdata/conmon.pid"] = "58";
    const auto [found, inner, published, settled, ended] = in_group(machine, group);
    CHECK(settled);
    CHECK(found.conmon_pid == 58);
    CHECK(found.name == "shop");
    CHECK(found.kind == NetnsKind::podman);
    CHECK(found.image == "docker.io/library/nginx:1.27");
  }
}

TEST_CASE("the list of podman's containers is read once for all of them") {
  Machine machine;
  machine.files[kStore + "containers.json"] = stored_containers(kId, "shop");
  std::vector<FoundNetns> all;
  for (std::int32_t pid = 100; pid < 200; ++pid) {
    machine.process(pid, "/machine.slice/libpod-" + kId + ".scope");
    all.push_back(netns(pid, static_cast<std::uint64_t>(pid)));
  }
  NetnsNames names;
  (void)named(names, machine, all);
  CHECK(machine.reads < 100 * 4 + 10);
}

TEST_CASE("a rootless podman container has the name that its conmon was given, and whose it is") {
  const std::string group = "/user.slice/user-7.slice/user@7.service/user.slice/libpod-" + kId + ".scope";
  const auto name_with = [&](const std::string& comm, const std::string& user, const std::string& cmdline) {
    Machine machine;
    machine.process(60, group + "/container");
    const auto status = [](int parent, const std::string& uid) {
      return "Name:\tx\nPPid:\t" + std::to_string(parent) + "\nUid:\t" + uid + "\t7\t7\t7\n";
    };
    machine.files["/proc/60/status"] = status(58, "100000");
    machine.files["/proc/58/status"] = status(50, "100000");  // the first process of the container
    machine.files["/proc/58/comm"] = "catatonit\n";
    machine.files["/proc/50/status"] = status(1, user);
    machine.files["/proc/50/comm"] = comm + "\n";
    machine.files["/proc/50/cmdline"] = cmdline;
    return looked_for(machine, netns(60)).netns.name;
  };
  const auto conmon = [](std::vector<std::string> arguments) {
    std::string cmdline;
    for (const auto& argument : arguments) cmdline += argument + '\0';
    return cmdline;
  };
  const auto usual = conmon({"/usr/bin/conmon", "--api-version", "1", "-c", kId, "-u", kId, "-r",
                             "/usr/bin/crun", "-n", "shop", "--exit-dir", "/run/user/7/libpod/exits"});
  CHECK(name_with("conmon", "7", usual) == "shop (user 7)");
  CHECK(name_with("conmon", "7", conmon({"conmon", "--cid", kId, "--name", "a\nb"})) == "a_b (user 7)");
  const std::string unnamed = "podman:0123456789ab";
  CHECK(name_with("conmon", "8", usual) == unnamed);  // somebody else's
  CHECK(name_with("bash", "7", usual) == unnamed);
  CHECK(name_with("conmon", "7", conmon({"conmon", "-c", kOther, "-n", "shop"})) == unnamed);
  CHECK(name_with("conmon", "7", conmon({"conmon", "-n"})) == unnamed);
  CHECK(name_with("conmon", "7", "") == unnamed);
}

TEST_CASE("rootless podman's files are a user's: without its conmon a container is called by its short id") {
  Machine machine;
  const auto [found, inner, published, settled, ended] =
      in_group(machine, "/user.slice/user-7.slice/user@7.service/user.slice/libpod-" + kId + ".scope");
  CHECK_FALSE(settled);
  CHECK(found.name == "podman:0123456789ab");
  CHECK(found.kind == NetnsKind::podman);
  CHECK(found.container == "0123456789ab");
}

TEST_CASE("containers that boot like machines are called as their groups are") {
  Machine machine;
  const auto check = [&](const std::string& group, const std::string& name, NetnsKind kind) {
    INFO(group);
    const auto [found, inner, published, settled, ended] = in_group(machine, group);
    CHECK(found.name == name);
    CHECK(found.kind == kind);
    CHECK(settled);
  };
  check("/lxc.payload.web/init.scope", "web", NetnsKind::lxc);
  check("/lxc/101/ns/init.scope", "101", NetnsKind::lxc);
  check("/incus.slice/incus-web.scope", "web", NetnsKind::incus);
  check("/machine.slice/systemd-nspawn@web.service/payload/init.scope", "web", NetnsKind::nspawn);
  check("/machine.slice/systemd-nspawn@my\\x2dweb.service/payload", "my-web", NetnsKind::nspawn);
  check("/machine.slice/machine-web.scope/payload", "web", NetnsKind::nspawn);
  check("/machine.slice/machine-lxc\\x2d3\\x2dbox.scope", "box", NetnsKind::libvirt);
  check("/machine.slice/machine-qemu\\x2d2\\x2ddb\\x2d1.scope", "db-1", NetnsKind::libvirt);
  // in a user's own tree such a group is that user's to name, and so is it in a container
  check("/user.slice/user-7.slice/user@7.service/lxc.payload.web", "lxc:web", NetnsKind::lxc);
  check("/lxc.payload.a/lxc.payload.web", "lxc:web", NetnsKind::lxc);
}

TEST_CASE("a named namespace has its name, a unit's that of the unit, and another its inode") {
  Machine machine;
  CHECK(looked_for(machine, mounted("/run/netns/blue")).netns.name == "blue");
  CHECK(looked_for(machine, mounted("/run/netns/blue")).netns.kind == NetnsKind::named);
  CHECK(looked_for(machine, mounted("/run/netns/blue")).settled);
  CHECK(looked_for(machine, mounted("/run/docker/netns/ingress_sbox")).netns.name ==
        "docker netns ingress_sbox");
  CHECK(looked_for(machine, mounted("/run/netns/cni-0f3c")).netns.name == "cni-0f3c");
  CHECK_FALSE(looked_for(machine, mounted("/run/netns/cni-0f3c")).settled);
  const auto unit = in_group(machine, "/system.slice/web.service").netns;
  CHECK(unit.name == "web.service");
  CHECK(unit.kind == NetnsKind::unit);
  CHECK(in_group(machine, "/user.slice/user-7.slice/user@7.service/app.slice/web.service").netns.name ==
        "web.service (user 7)");
  CHECK(in_group(machine, "/user.slice/user-7.slice/session-3.scope").netns.name == "session-3.scope");
  CHECK(in_group(machine, "/").netns.name == "netns 4026532281");
  CHECK(in_group(machine, "/garden/web.service").netns.name == "netns 4026532281");
  CHECK(looked_for(*std::make_unique<Machine>(), netns(60)).netns.name == "netns 4026532281");
  // a mount says more than the unit of what somebody started in it, and less than a container
  machine.process(60, "/system.slice/web.service");
  auto found = netns(60);
  found.mount = "/run/netns/blue";
  CHECK(looked_for(machine, found).netns.name == "blue");
  machine.process(60, "/docker/" + kId);
  CHECK(looked_for(machine, found).netns.name == "docker:0123456789ab");
}

TEST_CASE("a group that is called like another container does not get its name") {
  Machine machine;
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("shop", 50);
  machine.process(50, "/docker/" + kId, kInode + 1);
  const auto forged = "/user.slice/user-7.slice/user@7.service/docker-" + kId + ".scope";
  for (const auto& group : {forged, "/docker/" + kOther + "/docker/" + kId, "/docker/" + kId})
    CHECK(in_group(machine, group).netns.name == "docker:0123456789ab");
  // a process beside the first one, as of another container in the same namespace, is believed
  machine.process(50, "/docker/" + kId);
  CHECK(in_group(machine, "/docker/" + kId).netns.name == "shop");
  // without a note of the first process the place of the group decides
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("shop", 0);
  CHECK(in_group(machine, forged).netns.name == "docker:0123456789ab");
  CHECK(in_group(machine, "/docker/" + kId).netns.name == "shop");
}

TEST_CASE("nothing but an id becomes part of a path") {
  CHECK(is_container_id(kId));
  for (const auto& text : {std::string(), kId.substr(1), kId + "0", "../" + kId.substr(3),
                           std::string(64, 'A'), std::string(64, '/'), std::string(64, '.')})
    CHECK_FALSE(is_container_id(text));
  Machine machine;
  ContainerFiles files(machine);
  CHECK_FALSE(files.find("container", "../../../etc"));
  CHECK(machine.reads == 0);
}

TEST_CASE("a file cut off anywhere, or of anything else, names nothing, and the next source is asked") {
  struct Shape {
    std::string path, text, group, fallback;
  };
  const std::vector<Shape> shapes = {
      {kDocker + kId + "/config.v2.json", docker_config("shop", 60), "/docker/" + kId, "docker:0123456789ab"},
      {kK8s + kId + "/config.json", oci_config(containerd_annotations("sandbox")),
       "/kubepods.slice/cri-containerd-" + kId + ".scope", "containerd:0123456789ab"},
      {kStore + "containers.json", stored_containers(kId, "shop"), "/machine.slice/libpod-" + kId + ".scope",
       "podman:0123456789ab"}};
  for (const auto& [path, text, group, fallback] : shapes) {
    Machine machine;
    for (std::size_t length = 0; length < text.size(); ++length) {
      machine.files[path] = text.substr(0, length);
      REQUIRE(in_group(machine, group).netns.name == fallback);
    }
    machine.files[path] = text;
    CHECK(in_group(machine, group).netns.name != fallback);
    for (const auto* other : {"null", "[]", "{}", "1", "\"x\"", "[[[]]]", "{\"Name\":{}}", "\xff\xfe", "nul",
                              "{\"Name\":\"\\ud800\"}", "{\"Name\":1e999}", "[{\"id\":[]}]", "{\"a\":1}x"}) {
      machine.files[path] = other;
      CHECK(in_group(machine, group).netns.name == fallback);
    }
    machine.files[path] = std::string(1 << 20, '[');
    CHECK(in_group(machine, group).netns.name == fallback);
    machine.files[path] = unexpected(Errc::too_large, path + ": longer than 4194304 bytes");
    CHECK(in_group(machine, group).netns.name == fallback);
    machine.deny(path);
    CHECK(in_group(machine, group).netns.name == fallback);
  }
}

TEST_CASE("a list of very many containers is none, and takes little memory") {
  std::string text = "[";
  for (int i = 0; i < 100000; ++i) text += "{\"id\":\"x\"},";
  text += "{\"id\":\"x\"}]";
  CHECK_FALSE(parse_stored_containers(text));
}

TEST_CASE("a name is short, of valid UTF-8, and without what could do harm") {
  CHECK(harmless_name("shop") == "shop");
  CHECK(harmless_name("k\xc3\xa4se") == "k\xc3\xa4se");
  CHECK(harmless_name("a\nb\tc\x1b[31m") == "a_b_c_[31m");
  CHECK(harmless_name("it's \"x\" `y` \\z") == "it_s _x_ _y_ _z");
  CHECK(harmless_name("kube-system/dns") == "kube-system_dns");
  CHECK(harmless_name("a\xff\xc3") == "a__");
  CHECK(harmless_name("gnp\xe2\x80\xaetxt") == "gnp_txt");  // right-to-left override
  CHECK(harmless_name("  x  ") == "x");
  CHECK(harmless_name(std::string("a\0b", 3)) == "a_b");
  CHECK(harmless_name("").empty());
  CHECK(harmless_name(std::string(1000, 'x')).size() == kMostNameBytes);
  std::string long_one(kMostNameBytes - 1, 'x');
  CHECK(harmless_name(long_one + "\xc3\xa4") == long_one);  // no half character
}

TEST_CASE("whatever somebody calls a container, its namespace has one harmless name") {
  for (const auto& hostile :
       {std::string("x;reboot"), std::string("$(id)"), std::string("a\nb"), std::string("'\"`\\"),
        std::string("../../etc"), std::string(300, '"'), std::string("host"), std::string("\xe2\x80\x8b")}) {
    Machine machine;
    machine.process(60, "/docker/" + kId);
    machine.files[kDocker + kId + "/config.v2.json"] = docker_config(hostile, 60);
    NetnsNames names;
    const auto name = named(names, machine, {netns(60)}).front();
    INFO(name);
    CHECK_FALSE(name.empty());
    CHECK(name != "host");
    CHECK(name.size() <= kMostNameBytes + 32);
    CHECK(is_one_line(name));
    CHECK(name.find_first_of("\"'`\\/") == std::string::npos);
  }
}

TEST_CASE("a container called host is told from the daemon's own namespace") {
  Machine machine;
  machine.process(60, "/docker/" + kId);
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("host", 60);
  NetnsNames names;
  CHECK(named(names, machine, {netns(60)}) == Names{"host (docker)"});
}

TEST_CASE("of two containers with one name the newcomer's has something added, and no name changes") {
  Machine machine;
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("shop", 60);
  machine.files[kStore + "containers.json"] = stored_containers(kId, "shop");
  machine.process(60, "/docker/" + kId);
  machine.process(70, "/machine.slice/libpod-" + kId + ".scope");
  machine.process(80, "/lxc.payload.shop");
  NetnsNames names;
  CHECK(named(names, machine, {netns(60, 1)}) == Names{"shop"});
  const Names both{"shop", "shop (podman)"};
  for (int i = 0; i < 10; ++i) CHECK(named(names, machine, {netns(60, 1), netns(70, 2)}) == both);
  CHECK(named(names, machine, {netns(70, 2), netns(80, 3)}) == Names{"shop (podman)", "shop"});
}

TEST_CASE("namespaces of one container or unit are told apart") {
  Machine machine;
  machine.process(60, "/system.slice/web.service");
  machine.process(61, "/system.slice/web.service");
  machine.process(70, "/lxc.payload.web/init.scope");
  machine.process(71, "/lxc.payload.web/system.slice/systemd-hostnamed.service");
  NetnsNames names;
  CHECK(named(names, machine,
              {netns(60, 1, 41), netns(61, 2, 42), netns(70, 3, 43), netns(71, 4, 44), netns(71, 5, 45)}) ==
        Names{"web.service", "web.service 42", "web", "web/systemd-hostnamed.service", "web 45"});
}

TEST_CASE("a container that is made again has the name of the one before, under another identity") {
  Machine machine;
  machine.process(60, "/docker/" + kId);
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("shop", 60);
  NetnsNames names;
  CHECK(named(names, machine, {netns(60, 1)}) == Names{"shop"});
  CHECK(named(names, machine, {netns(60, 2)}) == Names{"shop"});
}

TEST_CASE("a name that was found is not looked for again") {
  Machine machine;
  machine.process(60, "/docker/" + kId);
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("shop", 60);
  NetnsNames names;
  (void)named(names, machine, {netns(60)});
  machine.reads = 0;
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("renamed", 60);
  auto list = list_of({netns(60)});
  list.namespaces[1].processes = 7;
  names.name(machine, list);
  CHECK(list.namespaces[1].name == "shop");
  CHECK(list.namespaces[1].image == "shop:1.2");
  CHECK(list.namespaces[1].processes == 7);
  CHECK(machine.reads == 0);
}

TEST_CASE("a container's files may come after its namespace: they are looked for a few times") {
  Machine machine;
  machine.process(60, "/system.slice/containerd.service");  // its group comes a moment later, too
  NetnsNames names;
  CHECK(named(names, machine, {netns(60)}) == Names{"containerd.service"});
  machine.process(60, "/docker/" + kId);
  CHECK(named(names, machine, {netns(60)}) == Names{"docker:0123456789ab"});
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("shop", 60);
  CHECK(named(names, machine, {netns(60)}) == Names{"shop"});

  NetnsNames others;
  machine.files.erase(kDocker + kId + "/config.v2.json");
  for (int i = 0; i < NetnsNames::kTries; ++i) {
    machine.reads = 0;
    CHECK(named(others, machine, {netns(60)}) == Names{"docker:0123456789ab"});
    CHECK(machine.reads > 0);
  }
  machine.reads = 0;
  CHECK(named(others, machine, {netns(60)}) == Names{"docker:0123456789ab"});
  CHECK(machine.reads == 0);
}

TEST_CASE("a mount that a runtime made gets its container's name when that has started in it") {
  Machine machine;
  machine.files[kK8s + kId + "/config.json"] = oci_config(containerd_annotations("sandbox"));
  NetnsNames names;
  for (int i = 0; i < 2 * NetnsNames::kTries; ++i)
    CHECK(named(names, machine, {mounted("/run/netns/cni-0f3c")}) == Names{"cni-0f3c"});
  machine.process(60, "/kubepods.slice/cri-containerd-" + kId + ".scope");
  CHECK(named(names, machine, {netns(60)}) == Names{"payments/checkout-7d9f"});
  CHECK(named(names, machine, {netns(0)}) == Names{"payments/checkout-7d9f"});  // it ended, its mount did not
}

TEST_CASE("of very many new namespaces some are looked into at once, and the others have a name meanwhile") {
  Machine machine;
  std::vector<FoundNetns> all;
  for (std::int32_t pid = 1000; pid < 2000; ++pid) {
    machine.process(pid, "/lxc.payload.n" + std::to_string(pid));
    all.push_back(netns(pid, static_cast<std::uint64_t>(pid), kInode + static_cast<std::uint64_t>(pid)));
  }
  NetnsNames names;
  const auto first = named(names, machine, all);
  CHECK(machine.reads <= 2 * NetnsNames::kAtOnce);
  CHECK(first.front() == "n1000");
  CHECK(first.back() == "netns " + std::to_string(kInode + 1999));
  CHECK(std::set<std::string>(first.begin(), first.end()).size() == 1000);
  for (int i = 0; i < 3; ++i) (void)named(names, machine, all);
  CHECK(named(names, machine, all).back() == "n1999");
}

TEST_CASE("ports that Docker has published are known once the container runs") {
  const Json host_all = {{{"HostIp", "0.0.0.0"}, {"HostPort", "80"}}, {{"HostIp", "::"}, {"HostPort", "80"}}};
  const Json ports = {{"5000/tcp", host_all},
                      {"53/udp", host_all},
                      {"9000/tcp", nullptr},  // exposed only
                      {"443/tcp", {{{"HostIp", "127.0.0.1"}, {"HostPort", "8443"}}}}};
  const auto address = [](const char* text) { return parse_ip_address(text).value(); };
  const auto inside = address("172.17.0.2");
  const std::vector<PublishedPort> expected = {{address("0.0.0.0"), 80, inside, 5000},
                                               {address("127.0.0.1"), 8443, inside, 443},
                                               {address("::"), 80, inside, 5000}};
  const auto text = docker_config("shop", 60, Json::object(), ports);
  CHECK(parse_docker_config(text)->published == expected);
  CHECK(parse_docker_config(shareable_container_file(kDocker + kId + "/config.v2.json", text))->published ==
        expected);

  Machine machine;
  machine.process(60, "/docker/" + kId);
  machine.files[kDocker + kId + "/config.v2.json"] = docker_config("shop", 0);
  NetnsNames names;
  NetnsList list{.namespaces = {netns(60, 1)}};
  names.name(machine, list);
  CHECK(list.namespaces[0].name == "shop");
  machine.files[kDocker + kId + "/config.v2.json"] = text;
  names.name(machine, list);
  names.put_published(list);
  CHECK(list.published == expected);
}

TEST_CASE("a namespace whose process ended before its name was looked for is left out") {
  Machine machine;
  NetnsNames names;
  CHECK(named(names, machine, {netns(60)}).empty());
  machine.process(60, "/docker/" + kId);
  CHECK(named(names, machine, {netns(60)}) == std::vector<std::string>{"docker:0123456789ab"});
  machine.links.clear();
  machine.files.clear();  // now it is known, and the next scan will say whether it is gone
  CHECK(named(names, machine, {netns(60)}) == std::vector<std::string>{"docker:0123456789ab"});
}

TEST_CASE("a process that ends while its control group is read is not taken for one of the host") {
  Machine machine;
  machine.process(60, "/");  // as the kernel shows it then
  CHECK_FALSE(looked_for(machine, netns(60)).ended);
  const auto with_flags = [](const std::string& flags) {
    return "60 (shop) R 1 60 60 0 -1 " + flags + " 0 0 0 0 5 6 0 0 20 0 1 0 500 8192 2\n";
  };
  machine.files["/proc/60/stat"] = with_flags("4194560");
  CHECK_FALSE(looked_for(machine, netns(60)).ended);
  machine.files["/proc/60/stat"] = with_flags("4194564");
  CHECK(looked_for(machine, netns(60)).ended);
  machine.links.erase("/proc/60/ns/net");
  CHECK(looked_for(machine, netns(60)).ended);
  NetnsNames names;
  CHECK(named(names, machine, {netns(60)}).empty());
}

TEST_CASE("published ports that make no sense are left out, and so are the rest of too many") {
  for (const auto* host : {"0.0.0.0/0", "shop", "300.0.0.1"})
    for (const auto* port : {"0", "", "70000", "80-90"})
      for (const auto* inside : {"/tcp", "0/tcp", "70000/tcp", "x/tcp"}) {
        const Json ports = {{inside, {{{"HostIp", host}, {"HostPort", port}}}}};
        CHECK(parse_docker_config(docker_config("shop", 60, Json::object(), ports))->published.empty());
      }
  Json many = Json::object();
  for (int port = 1; port < 1000; ++port)
    many[std::to_string(port) + "/tcp"] = {{{"HostIp", ""}, {"HostPort", std::to_string(port)}}};
  CHECK(parse_docker_config(docker_config("shop", 60, Json::object(), many))->published.size() ==
        DockerPorts::kMost);
}

TEST_CASE("what a recording holds of container files says the same, and nothing of their secrets") {
  const auto docker = docker_config("shop", 60, {{"com.docker.compose.project", "store"}, {"x", "secret"}});
  const auto kept = shareable_container_file(kDocker + kId + "/config.v2.json", docker);
  CHECK_THAT(kept, !ContainsSubstring("secret"));
  CHECK(parse_docker_config(kept)->name == "shop");
  CHECK(parse_docker_config(kept)->pid == 60);
  CHECK(parse_docker_config(kept)->compose_project == "store");

  const auto oci = oci_config(containerd_annotations("container"));
  const auto kept_oci = shareable_container_file(kK8s + kId + "/config.json", oci);
  CHECK_THAT(kept_oci, !ContainsSubstring("secret"));
  CHECK(parse_oci_config(kept_oci)->pod == "checkout-7d9f");
  CHECK(parse_oci_config(kept_oci)->image == "registry.local/checkout:7");

  const auto kept_list = shareable_container_file(kStore + "containers.json", stored_containers(kId, "shop"));
  const auto stored = parse_stored_containers(kept_list);
  REQUIRE(stored);
  REQUIRE(stored->size() == 2);
  CHECK(stored->back().id == kId);
  CHECK(stored->back().record.name == "shop");
  CHECK(stored->back().record.image == "docker.io/library/nginx:1.27");

  CHECK(shareable_container_file("/etc/docker/daemon.json", "{\"data-root\":\"/srv\",\"x\":\"secret\"}") ==
        "{\"data-root\":\"/srv\"}\n");
  CHECK(shareable_container_file(kDocker + kId + "/config.v2.json", "{\"Env\":\"secret").empty());
  CHECK(shareable_container_file("/proc/net/netstat", "TcpExt: 1\n") == "TcpExt: 1\n");
}
