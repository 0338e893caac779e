// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.h"
#include "core/describe.h"

namespace tcpdiag {

/// What made a network namespace, as far as it can be told.
enum class NetnsKind : std::uint8_t {
  host,        ///< the daemon's own
  docker,      ///< a container
  podman,      ///< a container, or a pod that is none of Kubernetes
  containerd,  ///< a container that belongs to no pod
  kubernetes,  ///< a pod, whose containers share it
  crio,        ///< a container whose pod is not known
  lxc,
  incus,
  nspawn,
  libvirt,
  named,  ///< `ip netns add` and what does the same: a mount under /run/netns
  unit,   ///< of a service, as PrivateNetwork= makes it, or of what a session or a user's unit started
  other,
};
constexpr auto values_of(Type<NetnsKind>) { return first_values<NetnsKind, 13>(); }

/// "host", "docker", "podman", ...
std::string_view to_string(NetnsKind kind);

/// Whether a namespace is looked into, and why not.
enum class NetnsState : std::uint8_t {
  soon,  ///< it is too new, or nobody has said
  watched,
  excluded,  ///< the configuration, or the command line, leaves it out
  denied,    ///< this process may not enter it
  too_many,  ///< more are there than are watched
};
constexpr auto values_of(Type<NetnsState>) { return first_values<NetnsState, 5>(); }

/// "soon", "watched", "excluded", "denied", "too many".
std::string_view to_string(NetnsState state);

/// A network namespace of the machine. All texts are as short and harmless as collectors/netns_names.h says;
/// an empty one is not known, or does not apply.
struct FoundNetns {
  /// The number in "net:[4026532281]". It belongs to another namespace soon after this one is gone.
  std::uint64_t inode = 0;
  /// With the inode, its identity: the number of the discovery, which no other one gets while the daemon
  /// runs. It stays when the anchor ends and something else holds the namespace. 0: the daemon's own.
  std::uint64_t generation = 0;
  /// The oldest process in it; in the daemon's own the one with the smallest number. 0: none lives in it, or
  /// none that may be asked.
  std::int32_t anchor_pid = 0;
  std::uint64_t anchor_start_ticks = 0;  ///< since boot (/proc/PID/stat field 22); 0 without an anchor
  /// It was made in the machine's user namespace, so by root; another one is a user's, who can give it any
  /// address.
  bool of_machine = true;
  std::uint64_t processes = 0;  ///< that live in it, as far as they were seen
  std::string mount;            ///< "/run/netns/blue", "/run/docker/netns/3f1c0a9b2d4e"; empty: none
  std::string name;             ///< for people; no other one on this host has it at the same time
  NetnsKind kind = NetnsKind::other;
  std::string runtime;    ///< of a container: as Owner::runtime
  std::string container;  ///< the first twelve digits of its id, or its name where the runtime has no ids
  std::string image;      ///< "nginx:1.27", as it was asked for
  std::string pod;
  std::string pod_namespace;
  std::string compose_project;
  std::string compose_service;
  /// podman's conmon, which listens on its published ports on the host, so that no other program can; nothing
  /// ever comes to it. 0: not known, or of another runtime.
  std::int32_t conmon_pid = 0;
  NetnsState state =
      NetnsState::soon;  ///< as who watches says (daemon/netns_watch.h); collectors do not know

  bool operator==(const FoundNetns&) const = default;
};
constexpr auto members_of(Type<FoundNetns>, auto member) {
  return std::tuple(
      member("inode", &FoundNetns::inode), member("generation", &FoundNetns::generation),
      member("anchor_pid", &FoundNetns::anchor_pid, Shown::if_filled),
      member("anchor_start_ticks", &FoundNetns::anchor_start_ticks, Shown::if_filled),
      member("of_machine", &FoundNetns::of_machine), member("processes", &FoundNetns::processes),
      member("mount", &FoundNetns::mount, Shown::if_filled), member("name", &FoundNetns::name),
      member("kind", &FoundNetns::kind), member("runtime", &FoundNetns::runtime, Shown::if_filled),
      member("container", &FoundNetns::container, Shown::if_filled),
      member("image", &FoundNetns::image, Shown::if_filled),
      member("pod", &FoundNetns::pod, Shown::if_filled),
      member("pod_namespace", &FoundNetns::pod_namespace, Shown::if_filled),
      member("compose_project", &FoundNetns::compose_project, Shown::if_filled),
      member("compose_service", &FoundNetns::compose_service, Shown::if_filled),
      member("conmon_pid", &FoundNetns::conmon_pid, Shown::if_filled), member("state", &FoundNetns::state));
}

/// A port of the host's that leads into a container: connections to it go on to a port there.
struct PublishedPort {
  IpAddress host_address;  ///< 0.0.0.0 and ::: every address of the host
  std::uint16_t host_port = 0;
  IpAddress container_address;
  std::uint16_t container_port = 0;

  auto operator<=>(const PublishedPort&) const = default;
};
constexpr auto members_of(Type<PublishedPort>, auto member) {
  return std::tuple(member("host_address", &PublishedPort::host_address),
                    member("host_port", &PublishedPort::host_port),
                    member("container_address", &PublishedPort::container_address),
                    member("container_port", &PublishedPort::container_port));
}

/// The network namespaces of the machine that a process lives in or that are mounted where runtimes and
/// `ip netns` do it. One that only a thread, a socket, an open descriptor or a mount elsewhere holds is not
/// seen, nor is what a hidden process lives in (Processes::some_hidden).
struct NetnsList {
  std::vector<FoundNetns> namespaces;  ///< the daemon's own first, then as they were discovered
  /// Left out because there are more than kMost. Those that are kept are shared out among the users whose
  /// they are.
  std::uint64_t cut = 0;
  /// Processes that did not say where they live because that is denied: it takes the right to trace them.
  std::uint64_t unreadable = 0;
  /// As far as docker-proxy's command lines tell: one that netfilter alone forwards is not known. Ordered.
  std::vector<PublishedPort> published;
  std::uint64_t published_cut = 0;  ///< left out because there are more than kMostPublished

  static constexpr std::size_t kMostPublished = 1024;
  static constexpr std::size_t kMost = 1024;

  /// How many there are.
  [[nodiscard]] std::uint64_t all() const { return namespaces.size() + cut; }

  bool operator==(const NetnsList&) const = default;
};
constexpr std::string_view collector_of(Type<NetnsList>) { return "namespaces"; }
constexpr auto members_of(Type<NetnsList>, auto member) {
  return std::tuple(member("found", &NetnsList::namespaces), member("cut", &NetnsList::cut),
                    member("unreadable", &NetnsList::unreadable), member("published", &NetnsList::published),
                    member("published_cut", &NetnsList::published_cut));
}

}  // namespace tcpdiag
