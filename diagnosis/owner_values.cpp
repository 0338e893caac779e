// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/owner_values.h"

#include <algorithm>
#include <array>

namespace tcpdiag {
namespace {

bool is_restartable(const std::string& unit) {
  return is_unit_name(unit) && unit.ends_with(".service") && !unit.starts_with("user@");
}

// "systemd-nspawn@NAME.service" is NAME for machinectl.
std::string machine_name(const std::string& name) {
  constexpr std::string_view kBefore = "systemd-nspawn@", kAfter = ".service";
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) return name;
  return name.substr(kBefore.size(), name.size() - kBefore.size() - kAfter.size());
}

void add_container(Values& values, const Owner& owner) {
  constexpr std::array<std::string_view, 4> kLikeMachines = {"lxc", "incus", "nspawn", "libvirt-lxc"};
  const bool in_reach = !owner.nested && !owner.uid;
  if (in_reach && (owner.runtime == "docker" || owner.runtime == "podman")) {
    values.offer(owner.runtime == "docker" ? ValueName("docker") : ValueName("podman"), owner.name);
  } else if (std::ranges::find(kLikeMachines, owner.runtime) != kLikeMachines.end()) {
    values.offer("inside", to_string(owner));
    values.offer("inner_unit", owner.inner);
    if (in_reach && owner.runtime == "nspawn") values.offer("machine", machine_name(owner.name));
  } else {
    values.offer("pod", to_string(owner));
  }
}

}  // namespace

void add_owner_values(Values& values, const Owner& owner) {
  values.offer("unit", to_string(owner));
  switch (owner.kind) {
    case OwnerKind::system_unit:
      if (is_restartable(owner.name)) values.offer("service", owner.name);
      return;
    case OwnerKind::user_unit:
      if (!is_restartable(owner.name) || !owner.uid) return;
      values.offer("user_service", owner.name);
      values.offer("user", std::to_string(*owner.uid));
      return;
    case OwnerKind::session: values.offer("session", owner.name); return;
    case OwnerKind::container: add_container(values, owner); return;
    case OwnerKind::none:
    case OwnerKind::machine:
    case OwnerKind::other: return;
  }
}

}  // namespace tcpdiag
