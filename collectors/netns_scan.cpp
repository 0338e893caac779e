// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_scan.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "collectors/proc_pid.h"
#include "core/fair_share.h"

namespace tcpdiag {
namespace {

// One that has left is rare, and the next one will do; all of them may be thousands.
constexpr int kMostWitnesses = 8;

/// The user to whom a namespace is counted. The owner of /proc/PID is root's for a process that forbids to be
/// dumped, which anybody can do.
std::uint32_t user_of(Source& source, std::int32_t pid) {
  if (pid == 0) return 0;
  const auto status = source.read(pid_directory(pid) + "/status");
  return status ? parse_pid_user(*status).value_or(0) : 0;
}

/// A process in it lives in the user namespace of process 1. Mounts alone are root's (user_namespaces(7)).
bool is_of_machine(Source& source, const FoundNetns& netns) {
  if (netns.anchor_pid == 0) return true;
  const auto theirs = source.link(pid_directory(netns.anchor_pid) + "/ns/user");
  const auto machines = source.link(pid_directory(1) + "/ns/user");
  return theirs && machines && *theirs == *machines;
}

/// The oldest process; of equally old ones that with the smallest number.
bool is_older(const NetnsMember& a, const FoundNetns& b) {
  return b.anchor_pid == 0 ||
         std::tuple(a.start_ticks, a.pid) < std::tuple(b.anchor_start_ticks, b.anchor_pid);
}

}  // namespace

Result<NetnsList> NetnsScan::scan(Source& source) {
  const auto own = read_own_netns(source);
  if (!own) return tl::unexpected<Error>(own.error());
  if (auto looked = members_.look(source, *own); !looked) return tl::unexpected<Error>(looked.error());
  own_ = *own;
  mounts_.look(source);
  ask_anchors(source);
  const auto without_carrier = inodes_without_carrier(source);
  remember(source, seen_now(), without_carrier);
  know_own(source);
  return list();
}

NetnsMember* NetnsScan::member(std::int32_t pid) {
  const auto members = members_.members();
  const auto found = std::ranges::lower_bound(members, pid, {}, &NetnsMember::pid);
  return found != members.end() && found->pid == pid ? &*found : nullptr;
}

void NetnsScan::ask_anchors(Source& source) {
  auto next = known_.upper_bound(anchors_until_);
  for (std::size_t i = 0; i < std::min(known_.size(), kAnchorsAsked); ++i, ++next) {
    if (next == known_.end()) next = known_.begin();
    anchors_until_ = next->first;
    auto* anchor = next->first == own_ ? nullptr : member(next->second.netns.anchor_pid);
    if (anchor && !anchor->joined) members_.confirm(source, *anchor);
  }
}

std::set<std::uint64_t> NetnsScan::joined_inodes() {
  std::set<std::uint64_t> inodes;
  for (const auto& member : members_.members())
    if (member.joined && member.inode != 0) inodes.insert(member.inode);
  for (const auto& [path, mount] : mounts_.mounts())
    if (mount.joined && mount.file) inodes.insert(mount.file->inode);
  return inodes;
}

/// Of those that were known. A process that must prove where it is may turn out to have joined another one,
/// which then has to be proved as well.
std::set<std::uint64_t> NetnsScan::inodes_without_carrier(Source& source) {
  std::set<std::uint64_t> proved, without;
  for (bool more = true; more;) {
    more = false;
    for (const auto inode : joined_inodes()) {
      if (inode == own_ || !known_.contains(inode) || !proved.insert(inode).second) continue;
      more = true;
      if (!has_carrier(source, inode)) without.insert(inode);
    }
  }
  return without;
}

bool NetnsScan::has_carrier(Source& source, std::uint64_t inode) {
  return process_carries(source, inode) || mount_carries(source, inode);
}

bool NetnsScan::process_carries(Source& source, std::uint64_t inode) {
  auto* anchor = member(known_.at(inode).netns.anchor_pid);
  const auto proves = [&](NetnsMember& member) {
    return member.inode == inode && !member.joined && members_.confirm(source, member);
  };
  if (anchor && proves(*anchor)) return true;
  auto witnesses = kMostWitnesses;
  for (auto& member : members_.members()) {
    if (member.inode != inode || member.joined) continue;
    if (proves(member)) return true;
    if (--witnesses == 0) break;
  }
  return false;
}

bool NetnsScan::mount_carries(Source& source, std::uint64_t inode) {
  return std::ranges::any_of(mounts_.mounts(), [&](auto& entry) {
    auto& [path, mount] = entry;
    return !mount.joined && mount.file && mount.file->inode == inode &&
           NetnsMounts::confirm(source, path, mount);
  });
}

NetnsScan::ByInode NetnsScan::seen_now() {
  ByInode seen;
  for (const auto& member : members_.members()) {
    if (member.inode == 0) continue;
    auto& netns = seen[member.inode];
    ++netns.processes;
    if (!is_older(member, netns)) continue;
    netns.anchor_pid = member.pid;
    netns.anchor_start_ticks = member.start_ticks;
  }
  for (const auto& [path, mount] : mounts_.mounts()) {
    if (!mount.file) continue;
    auto& netns = seen[mount.file->inode];
    if (netns.mount.empty() || is_better_mount(netns.mount, path)) netns.mount = path;
  }
  seen.try_emplace(own_);
  return seen;
}

void NetnsScan::remember(Source& source, ByInode seen, const std::set<std::uint64_t>& without_carrier) {
  std::vector<FoundNetns> discovered;
  std::map<std::uint64_t, Known> kept;
  for (auto& [inode, netns] : seen) {
    netns.inode = inode;
    const auto known = known_.find(inode);
    if (inode != own_ && (known == known_.end() || without_carrier.contains(inode))) {
      discovered.push_back(std::move(netns));
      continue;
    }
    if (known != known_.end() && inode != own_) {
      netns.generation = known->second.netns.generation;
      netns.of_machine = known->second.netns.of_machine ||
                         (known->second.netns.anchor_pid != netns.anchor_pid && is_of_machine(source, netns));
    }
    kept[inode] = {.netns = std::move(netns), .uid = known == known_.end() ? 0 : known->second.uid};
  }
  // The older ones first, so that two daemons on one machine tell them in the same order.
  std::ranges::sort(discovered, {}, [](const FoundNetns& netns) {
    return std::tuple(netns.anchor_start_ticks, netns.inode);
  });
  for (auto& netns : discovered) {
    netns.generation = ++generations_;
    netns.of_machine = is_of_machine(source, netns);
    const auto uid = user_of(source, netns.anchor_pid);
    const auto inode = netns.inode;
    kept[inode] = {.netns = std::move(netns), .uid = uid};
  }
  known_ = std::move(kept);
}

/// Nothing was asked of the processes there but where they live: the smallest number will do.
void NetnsScan::know_own(Source& source) {
  auto& netns = known_.at(own_).netns;
  netns.kind = NetnsKind::host;
  if (netns.anchor_pid == 0) return;
  const auto text = source.read(pid_directory(netns.anchor_pid) + "/stat");
  if (const auto stat = text ? parse_pid_stat(*text) : tl::unexpected<Error>(text.error()))
    netns.anchor_start_ticks = stat->start_ticks;
}

NetnsList NetnsScan::list() {
  std::vector<Known> others;
  for (const auto& [inode, known] : known_)
    if (inode != own_) others.push_back(known);
  const auto generation = [](const Known& known) { return known.netns.generation; };
  std::ranges::sort(others, {}, generation);
  NetnsList list;
  list.cut = keep_shared(others, NetnsList::kMost - 1, &Known::uid, [](const Known&) { return 1U; });
  std::ranges::sort(others, {}, generation);
  list.namespaces.push_back(known_.at(own_).netns);
  for (auto& known : others) list.namespaces.push_back(std::move(known.netns));
  for (const auto& member : members_.members()) list.unreadable += member.denied ? 1U : 0U;
  return list;
}

}  // namespace tcpdiag
