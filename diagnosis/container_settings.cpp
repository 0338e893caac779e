// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/container_settings.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/sysctls.h"

namespace tcpdiag {
namespace {

/// Sysctls that the kubelet takes without being told to (kubernetes.io, "Using sysctls in a Kubernetes
/// Cluster").
struct SafeInPod {
  std::string_view name;
  std::string_view since{};  ///< the version of Kubernetes; empty: all that are in use
};
constexpr auto kSafeInPod = std::to_array<SafeInPod>({
    {"net.ipv4.ip_local_port_range"},
    {"net.ipv4.tcp_syncookies"},
    {"net.ipv4.ping_group_range"},
    {"net.ipv4.ip_unprivileged_port_start"},
    {"net.ipv4.ip_local_reserved_ports", "1.27"},
    {"net.ipv4.tcp_keepalive_time", "1.29"},
    {"net.ipv4.tcp_keepalive_intvl", "1.29"},
    {"net.ipv4.tcp_keepalive_probes", "1.29"},
    {"net.ipv4.tcp_fin_timeout", "1.29"},
    {"net.ipv4.tcp_rmem", "1.32"},
    {"net.ipv4.tcp_wmem", "1.32"},
});

constexpr auto kLasting = std::to_array<AdviceText>({
    {"Make it last: add it to service {compose_service} in the compose file, then bring the service up "
     "again.",
     "sysctls: \\[\"{sysctl}={sysctl_value}\"\\]",
     "The container is made again with it; a setting made in a running container ends with it.",
     "Its connections are closed.", CommandKind::file_line},
    {"{?of_run}Make it last: make container {netns} again with one more option of {runtime} run.",
     "--sysctl {sysctl}={sysctl_value}",
     "The container begins with it; a setting made in a running container ends with it.",
     "Its connections are closed."},
    {"{?of_a_pod}Make it last: give it to pod {netns} under spec: in the template that makes it.",
     "securityContext: \\{sysctls: \\[\\{name: {sysctl}, value: \"{sysctl_value}\"\\}\\]\\}",
     "All containers of the pod have it from their first process on.",
     "[{?unsafe_in_pod}Kubernetes counts it as unsafe: the pod does not start unless the kubelet runs with "
     "--allowed-unsafe-sysctls={sysctl}.|Kubernetes counts it as safe since {safe_since}; before, the pod "
     "does not start unless the kubelet runs with --allowed-unsafe-sysctls={sysctl}.|The pod is made again.]",
     CommandKind::file_line},
    {"{?boots}Make it last: a line in /etc/sysctl.d/zz-tcp.conf inside of {netns}.",
     "{sysctl} = {sysctl_value}", "It is applied whenever the container boots; files of the host are not.",
     "", CommandKind::file_line},
});

static_assert(std::ranges::all_of(kLasting, [](const AdviceText& advice) {
  return names_fit("", advice.action) && names_fit("", advice.command) && names_fit("", advice.risk);
}));

bool is_plain_value(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == ' ' || c == ',' || c == '-' || c == '_';
  });
}

}  // namespace

const FoundNetns* netns_of(const Snapshot& snapshot, const Owner& owner) {
  const auto* list = snapshot.netns_list.get();
  if (list == nullptr || owner.kind != OwnerKind::container || owner.name.empty()) return nullptr;
  const auto found = std::ranges::find_if(list->namespaces, [&](const FoundNetns& netns) {
    return netns.runtime == owner.runtime && netns.container == owner.name;
  });
  return found == list->namespaces.end() ? nullptr : &*found;
}

void add_container_values(Values& values, const FoundNetns& netns) {
  values.offer("compose_service", netns.compose_service);
  values.offer("runtime", netns.runtime);
  switch (netns.kind) {
    case NetnsKind::kubernetes: values.flag("of_a_pod"); return;
    case NetnsKind::docker:
    case NetnsKind::podman:
      if (netns.compose_service.empty()) values.flag("of_run");
      return;
    case NetnsKind::lxc:
    case NetnsKind::incus:
    case NetnsKind::nspawn: values.flag("boots"); return;
    case NetnsKind::host:
    case NetnsKind::containerd:
    case NetnsKind::crio:
    case NetnsKind::libvirt:
    case NetnsKind::named:
    case NetnsKind::unit:
    case NetnsKind::other: return;
  }
}

bool can_last(const FoundNetns& netns) {
  Values values;
  add_container_values(values, netns);
  return values.contains("compose_service") || values.contains("of_run") || values.contains("of_a_pod") ||
         values.contains("boots");
}

bool add_sysctl_values(Values& values, std::string_view command) {
  constexpr std::string_view kBefore = "sysctl -w ";
  if (!command.starts_with(kBefore)) return false;
  command.remove_prefix(kBefore.size());
  const auto equals = command.find('=');
  if (equals == std::string_view::npos) return false;
  const auto name = command.substr(0, equals);
  auto value = command.substr(equals + 1);
  const bool is_quoted = value.size() > 2 && value.starts_with('\'') && value.ends_with('\'');
  if (is_quoted) value = value.substr(1, value.size() - 2);
  const auto* spec = find_sysctl(name);
  if (spec == nullptr || spec->scope != SysctlScope::netns) return false;
  if (!is_plain_value(value) || (!is_quoted && value.find(' ') != std::string_view::npos)) return false;
  values["sysctl"] = name;
  values["sysctl_value"] = value;
  const auto* safe = std::ranges::find(kSafeInPod, name, &SafeInPod::name);
  if (safe == kSafeInPod.end())
    values.flag("unsafe_in_pod");
  else
    values.offer("safe_since", std::string(safe->since));
  return true;
}

std::span<const AdviceText> lasting_sysctl_advice() { return kLasting; }

}  // namespace tcpdiag
