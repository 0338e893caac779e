// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>

#include "collectors/netns_members.h"
#include "collectors/netns_mounts.h"
#include "collectors/source.h"
#include "core/facts/netns_list.h"

namespace tcpdiag {

/// Finds the network namespaces of the machine, again and again, and knows each one again.
///
/// The kernel gives the inode of a namespace that is gone to the next one, so a number alone is no identity.
/// What carries it from one scan to the next is a process that lived in it at the last one, or a mount that
/// held it; where processes have joined, one such carrier must prove that it is still what it was. Without a
/// carrier the inode is another namespace's, with a generation of its own. So the anchor may end while the
/// namespace stays the same. One whose processes were all replaced between two scans, and which no mount
/// held, counts as another one: nothing is compared over a gap.
///
/// A process that left unseen (setns(), or its number is another process's now) is found out in its turn;
/// until then a namespace that is gone may still be in the list. Anchors, which are looked into, are asked
/// more often.
class NetnsScan {
 public:
  /// All but the names, which are those of NetnsNames. Errors: the daemon's own namespace or the list of
  /// processes cannot be read; what was known stays for the next scan.
  Result<NetnsList> scan(Source& source);

  /// The processes that the last scan saw, ordered by pid.
  [[nodiscard]] std::span<const NetnsMember> members() { return members_.members(); }
  /// The inode of the daemon's own namespace, as of the last scan.
  [[nodiscard]] std::uint64_t own() const { return own_; }

  /// Anchors that are asked whether they still are what they were, at one scan.
  static constexpr std::size_t kAnchorsAsked = 40;

 private:
  struct Known {
    FoundNetns netns;
    std::uint32_t uid = 0;  ///< of its first anchor; root where there is none
  };
  using ByInode = std::map<std::uint64_t, FoundNetns>;

  void ask_anchors(Source& source);
  NetnsMember* member(std::int32_t pid);
  [[nodiscard]] std::set<std::uint64_t> joined_inodes();
  std::set<std::uint64_t> inodes_without_carrier(Source& source);
  bool has_carrier(Source& source, std::uint64_t inode);
  bool process_carries(Source& source, std::uint64_t inode);
  bool mount_carries(Source& source, std::uint64_t inode);
  ByInode seen_now();
  void remember(Source& source, ByInode seen, const std::set<std::uint64_t>& without_carrier);
  void know_own(Source& source);
  [[nodiscard]] NetnsList list();

  NetnsMembers members_;
  NetnsMounts mounts_;
  std::map<std::uint64_t, Known> known_;  ///< by inode
  std::uint64_t own_ = 0;
  std::uint64_t generations_ = 0;    ///< given so far
  std::uint64_t anchors_until_ = 0;  ///< the inode at which the last scan stopped asking anchors
};

}  // namespace tcpdiag
