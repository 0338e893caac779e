// SPDX-License-Identifier: Apache-2.0
// Which ports of the host lead into a container, out of the command lines of docker-proxy: Docker starts one
// for each published port, whether packets then go through it or netfilter forwards them. Where it shall do
// without, its notes say the same (collectors/docker_ports.h). What others let netfilter forward (podman,
// CNI) is not known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/netns_members.h"
#include "collectors/source.h"
#include "core/facts/netns_list.h"

namespace tcpdiag {

/// Parses /proc/PID/cmdline of a docker-proxy. Empty: it is none, publishes another protocol than TCP, or
/// its addresses and ports are not whole.
std::optional<PublishedPort> parse_docker_proxy(std::string_view cmdline);

/// What is remembered of the processes that may publish a port. Any user can call a program docker-proxy, so
/// only processes of root in the daemon's own namespace are believed. No other process's command line is
/// read: it may hold secrets.
class PublishedPorts {
 public:
  /// `own` is the inode of the daemon's namespace; the members are ordered by pid.
  void look(Source& source, std::span<const NetnsMember> members, std::uint64_t own);

  /// Adds them; ordered, each once; those beyond NetnsList::kMostPublished are counted.
  void put_into(NetnsList& list) const;

  /// Asked for their names at one look, of those that are new; the others are asked at the next ones.
  static constexpr std::size_t kAskedFirst = 512;
  /// Asked again at a look, of those that were known.
  static constexpr std::size_t kAskedAgain = 64;

 private:
  struct Candidate {
    std::int32_t pid = 0;
    int asked = 0;  ///< a process may be seen between fork() and exec(), so it is asked twice
    std::optional<PublishedPort> port;
  };

  void merge(std::span<const NetnsMember> members, std::uint64_t own);

  std::vector<Candidate> candidates_;
  std::int32_t asked_until_ = 0;  ///< the pid at which the last look stopped asking again
};

}  // namespace tcpdiag
