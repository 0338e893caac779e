// SPDX-License-Identifier: Apache-2.0
#include "core/facts/netns_list.h"

#include <array>

namespace tcpdiag {

std::string_view to_string(NetnsKind kind) {
  static constexpr std::array<std::string_view, values_of(Type<NetnsKind>{}).size()> kNames = {
      "host",  "docker", "podman",  "containerd", "kubernetes", "crio", "lxc",
      "incus", "nspawn", "libvirt", "named",      "unit",       "other"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view to_string(NetnsState state) {
  static constexpr std::array<std::string_view, values_of(Type<NetnsState>{}).size()> kNames = {
      "soon", "watched", "excluded", "denied", "too many"};
  return kNames.at(static_cast<std::size_t>(state));
}

}  // namespace tcpdiag
