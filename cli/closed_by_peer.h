// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "collectors/source.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// What is known of one socket in CLOSE_WAIT beyond the snapshot.
struct ClosedSocket {
  std::string peer{};                 ///< "10.0.0.7:51234"; empty: it was not seen again
  std::string holder{};               ///< "nginx[800]"; empty: not known, or no process
  std::optional<std::uint32_t> fd{};  ///< of the holder's descriptors the lowest; empty: not known
};

/// By the name of the namespace and the inode.
using ClosedByPeer = std::map<std::pair<std::string, std::uint32_t>, ClosedSocket>;

/// How many of a namespace's oldest sockets in CLOSE_WAIT are looked at and shown.
inline constexpr std::size_t kOldestShown = 10;

/// Adds the oldest of the namespace, with the peers that `sockets`, a source in it, has now. A dump that
/// fails leaves them without.
void add_peers(ClosedByPeer& closed, const NetnsView& netns, Source& sockets);

/// Adds who holds them and as which descriptor (/proc/PID/fd), of the processes that the snapshot has as
/// holders.
void add_descriptors(ClosedByPeer& closed, const Snapshot& snapshot, Source& source);

}  // namespace tcpdiag
