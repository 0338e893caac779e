// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/container_settings.h"

#include <array>

#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;

namespace {

FoundNetns shop(NetnsKind kind) {
  return {.generation = 1,
          .anchor_pid = 812,
          .name = "shop",
          .kind = kind,
          .runtime = kind == NetnsKind::podman ? "podman" : "docker"};
}

Verdict says_something(const Window& window, const Thresholds&) {
  return window.netns().name == "shop" ? Verdict::found({Facts()}) : Verdict::clear();
}

// The advice of a rule whose only one is that command, in a namespace that was found so.
std::vector<Advice> advice_in(const FoundNetns& found, const char* command) {
  const std::array<AdviceText, 1> texts = {{{"Set it.", command, "It is set.", ""}}};
  const Rule rule{.info = {.id = "a", .summary = "A.", .advice = texts}, .evaluate = says_something};
  HistoryBuilder history;
  history.snapshot().namespaces.push_back({.id = NetnsId(1), .generation = 1, .name = "shop"});
  history.set(&Snapshot::netns_list, NetnsList{.namespaces = {found}}).tick();
  return diagnose(history.history(), {&rule, 1}, {}).findings.at(0).advice;
}

constexpr auto kSomaxconn = "sysctl -w net.core.somaxconn=4096";

}  // namespace

TEST_CASE("a setting in a container is made at once from outside, and lasts by how the container is made") {
  const auto docker = advice_in(shop(NetnsKind::docker), kSomaxconn);
  REQUIRE(docker.size() == 2);
  CHECK(docker[0].command == "nsenter -t 812 -n sysctl -w net.core.somaxconn=4096");
  CHECK(docker[1].command == "--sysctl net.core.somaxconn=4096");
  CHECK_THAT(docker[1].action, ContainsSubstring("one more option of docker run"));
  CHECK_THAT(advice_in(shop(NetnsKind::podman), kSomaxconn).at(1).action,
             ContainsSubstring("one more option of podman run"));
  auto composed = shop(NetnsKind::docker);
  composed.compose_service = "api";
  const auto compose = advice_in(composed, kSomaxconn);
  REQUIRE(compose.size() == 2);
  CHECK(compose[1].command == "sysctls: [\"net.core.somaxconn=4096\"]");
  CHECK_THAT(compose[1].action, ContainsSubstring("service api"));
  const auto lxc = advice_in(shop(NetnsKind::lxc), kSomaxconn);
  REQUIRE(lxc.size() == 2);
  CHECK(lxc[1].command == "net.core.somaxconn = 4096");
  CHECK_THAT(lxc[1].action, ContainsSubstring("/etc/sysctl.d/zz-tcp.conf inside of shop"));
}

TEST_CASE("a pod's setting is said to be safe or unsafe") {
  const auto pod = shop(NetnsKind::kubernetes);
  const auto unsafe = advice_in(pod, kSomaxconn).at(1);
  CHECK(unsafe.command == "securityContext: {sysctls: [{name: net.core.somaxconn, value: \"4096\"}]}");
  CHECK_THAT(unsafe.risk, ContainsSubstring("--allowed-unsafe-sysctls=net.core.somaxconn"));
  const auto newly = advice_in(pod, "sysctl -w net.ipv4.tcp_fin_timeout=30").at(1);
  CHECK_THAT(newly.risk, ContainsSubstring("safe since 1.29"));
  const auto safe = advice_in(pod, "sysctl -w net.ipv4.ip_local_port_range='1024 65000'").at(1);
  CHECK(safe.command ==
        "securityContext: {sysctls: [{name: net.ipv4.ip_local_port_range, value: \"1024 65000\"}]}");
  CHECK_THAT(safe.risk, !ContainsSubstring("unsafe"));
}

TEST_CASE("what the machine has only once is set on the host, and no container gets it") {
  for (const auto* command :
       {"sysctl -w net.core.netdev_max_backlog=4000", "sysctl -w net.ipv4.tcp_mem='1 2 3'",
        "sysctl -w net.ipv4.tcp_max_orphans=9", "sysctl -w net.netfilter.nf_conntrack_max=9"}) {
    const auto advice = advice_in(shop(NetnsKind::docker), command);
    REQUIRE(advice.size() == 1);
    CHECK(advice[0].command == command);
  }
}

TEST_CASE("other commands, and namespaces of unknown making, get no such advice") {
  CHECK(advice_in(shop(NetnsKind::docker), "ss -ltn").size() == 1);
  CHECK(advice_in(shop(NetnsKind::docker), "sysctl -w net.core.somaxconn=1 net.ipv4.tcp_sack=1").size() == 1);
  CHECK(advice_in(shop(NetnsKind::docker), "sysctl -w net.core.somaxconn=1; ss").size() == 1);
  CHECK(advice_in(shop(NetnsKind::docker), "sysctl -w net.core.unheard_of=1").size() == 1);
  for (const auto kind : {NetnsKind::named, NetnsKind::unit, NetnsKind::containerd, NetnsKind::other})
    CHECK(advice_in(shop(kind), kSomaxconn).size() == 1);
}

TEST_CASE("a namespace is a container's by runtime and id") {
  HistoryBuilder history;
  auto found = shop(NetnsKind::docker);
  found.container = "0123456789ab";
  history.set(&Snapshot::netns_list, NetnsList{.namespaces = {found}});
  const auto& snapshot = history.snapshot();
  CHECK(netns_of(snapshot, named_owner(OwnerKind::container, "docker:0123456789ab")) != nullptr);
  CHECK(netns_of(snapshot, named_owner(OwnerKind::container, "podman:0123456789ab")) == nullptr);
  CHECK(netns_of(snapshot, named_owner(OwnerKind::container, "docker:ba9876543210")) == nullptr);
  CHECK(netns_of(snapshot, system_unit("docker.service")) == nullptr);
  CHECK(netns_of(snapshot, {}) == nullptr);
}
