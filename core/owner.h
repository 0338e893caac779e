// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/describe.h"

namespace tcpdiag {

/// Who keeps a process: by it follows who can restart it, and where its limits are set.
enum class OwnerKind : std::uint8_t {
  none,         ///< no control group says
  system_unit,  ///< a unit of the host's systemd, in a place where only root can make a group
  user_unit,    ///< a unit of a user's systemd
  session,      ///< a login
  container,
  machine,  ///< a virtual machine
  other,    ///< a group that is named like a unit, where it need not be one
};
constexpr auto values_of(Type<OwnerKind>) { return first_values<OwnerKind, 7>(); }

/// "none", "system_unit", "user_unit", ...
std::string_view to_string(OwnerKind kind);

/// The unit, container or machine that a process belongs to, as its control group says.
struct Owner {
  OwnerKind kind = OwnerKind::none;
  /// Of a container or machine: "docker", "podman", "containerd", "crio", "lxc", "incus", "nspawn", "rkt",
  /// "libvirt-lxc", "qemu"; "container" where the group does not tell.
  std::string runtime;
  /// "nginx.service", "session-3.scope"; of a container its name, or the first twelve digits of its id; of
  /// one that systemd-nspawn runs as a service, that service.
  std::string name;
  std::string inner;                 ///< the unit inside of a container; empty: not known, or none
  std::optional<std::uint32_t> uid;  ///< of a user's unit, session or container: which user
  /// Of a container: it is inside of another one, or of a unit that makes groups of its own. The host's
  /// runtime does not know it, or not by that name.
  bool nested = false;

  bool operator==(const Owner&) const = default;
};
constexpr auto members_of(Type<Owner>, auto member) {
  return std::tuple(member("kind", &Owner::kind), member("runtime", &Owner::runtime),
                    member("name", &Owner::name), member("inner", &Owner::inner), member("uid", &Owner::uid),
                    member("nested", &Owner::nested));
}

/// What people call it: "nginx.service", "docker:0123456789ab", "lxc:web"; empty for none.
std::string to_string(const Owner& owner);

/// What is left of an owner where only its kind and to_string() are known.
Owner named_owner(OwnerKind kind, const std::string& label);

/// A unit of the host's systemd.
Owner system_unit(std::string name);

/// Whether systemd takes it for the name of a unit that holds processes (systemd.unit(5)).
bool is_unit_name(std::string_view name);

}  // namespace tcpdiag
