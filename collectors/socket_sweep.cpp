// SPDX-License-Identifier: Apache-2.0
#include "collectors/socket_sweep.h"

#include <algorithm>
#include <numeric>
#include <ranges>
#include <string>
#include <utility>

#include "collectors/collector.h"

namespace tcpdiag {
namespace {

std::vector<std::uint32_t> lowest_fds(Source& source, std::int32_t pid, KnownProcess& process) {
  constexpr auto kMost = SocketSweep::kLinksPerProcess;
  std::vector<std::uint32_t> fds;
  if (const auto& count = process.descriptors.count; count && *count > kMost) {
    // descriptors are handed out lowest first, so a listener's is low: no need to list a million others
    fds.resize(kMost);
    std::iota(fds.begin(), fds.end(), 0U);
    process.held.incomplete = true;
  } else if (auto listed = read_fds(source, pid)) {
    fds = std::move(*listed);
    process.held.incomplete = fds.size() > kMost;
    fds.resize(std::min<std::size_t>(fds.size(), kMost));
  } else {
    process.held.gone = listed.error().code == Errc::missing;
    process.held.incomplete = !process.held.gone;
  }
  return fds;
}

/// Looks up which of the sockets it holds. Returns how many links were read.
std::uint64_t look_at(std::int32_t pid, KnownProcess& process, const WantedSockets& wanted,
                      const Reading& reading) {
  process.held = {.due = false, .looked_up_at = reading.now};
  if (process.descriptors.count == 0U || wanted.uids.empty()) return 0;
  const auto directory = pid_directory(pid) + "/fd/";
  std::uint64_t links = 0;
  Inodes held;
  for (const auto fd : lowest_fds(reading.source, pid, process)) {
    ++links;
    const auto link = reading.source.link(directory + std::to_string(fd));
    if (!link && link.error().code == Errc::missing) continue;  // closed meanwhile
    if (!link) {
      process.held.incomplete = true;  // what forbids one forbids all
      break;
    }
    if (const auto inode = parse_socket_link(*link); inode && wanted.uids.contains(*inode))
      held.insert(*inode);
  }
  for (const auto inode : held) {
    if (wanted.listening.contains(inode)) process.held.listening.push_back(inode);
    if (wanted.close_wait.contains(inode)) process.held.close_wait.push_back(inode);
  }
  return links;
}

/// The new processes, then those that own one of the sockets already.
std::vector<std::int32_t> likely_owners(const KnownProcesses& processes) {
  std::vector<std::int32_t> pids, owners;
  for (const auto& [pid, process] : processes) {
    if (!process.held.looked_up_at)
      pids.push_back(pid);
    else if (process.held.any())
      owners.push_back(pid);
  }
  pids.insert(pids.end(), owners.begin(), owners.end());
  return pids;
}

}  // namespace

/// Whether the likely owners are to be looked at for sockets in CLOSE_WAIT.
bool SocketSweep::begin_likely(const Inodes& close_wait, TimePoint now) {
  const bool rested = !likely_.began_at || now - *likely_.began_at >= kCloseWaitInterval;
  if (!rested || std::ranges::includes(likely_.sockets, close_wait)) return false;
  likely_ = {close_wait, now};
  return true;
}

/// Whether all processes are to be looked at, from now on.
bool SocketSweep::begin_all(const WantedSockets& wanted, TimePoint now) {
  const bool under_way = all_.began_at && !all_.ended_at;
  const bool appeared = !std::ranges::includes(all_.sockets, wanted.listening);
  const auto rested = [&](std::chrono::seconds rest) {
    return !all_.ended_at || now - *all_.ended_at >= rest;
  };
  const auto rest = all_.began_at == all_.ended_at ? std::chrono::seconds::zero() : kLongSweepRest;
  // A sweep under way needs no rest to look for one more: it comes to all once more, and goes on where it is.
  const bool begins = under_way ? appeared : (appeared && rested(rest)) || (all_due_ && rested(kInterval));
  if (!begins) return false;
  const auto inodes = std::views::keys(wanted.uids);
  all_ = {{inodes.begin(), inodes.end()}, under_way ? all_.began_at : now};
  all_due_ = false;
  return true;
}

void SocketSweep::plan(KnownProcesses& processes, const WantedSockets& wanted, const Inodes& owned_before,
                       TimePoint now) {
  const auto owned = owned_by(processes);
  // One that comes back is looked for again.
  std::erase_if(all_.sockets, [&](std::uint32_t inode) { return !wanted.uids.contains(inode); });
  const auto has_lost_its_owner = [&](std::uint32_t inode) {
    return wanted.listening.contains(inode) && !owned.contains(inode);
  };
  // One that was looked for in vain where it is likely to be is looked for everywhere, once.
  const auto was_in_vain = [&](std::uint32_t inode) {
    return wanted.close_wait.contains(inode) && !owned.contains(inode) && !all_.sockets.contains(inode);
  };
  all_due_ = all_due_ || std::ranges::any_of(owned_before, has_lost_its_owner) ||
             std::ranges::any_of(likely_.sockets, was_in_vain);
  const bool likely = begin_likely(wanted.close_wait, now);
  const bool all = begin_all(wanted, now);
  for (auto& [pid, process] : processes) {
    auto& held = process.held;
    const bool recheck = (held.any() || held.incomplete) &&
                         (!held.looked_up_at || now - *held.looked_up_at >= kRecheckInterval);
    held.due = held.due || all || (likely && process.is_named()) || recheck || held.gone;
  }
}

void SocketSweep::run(KnownProcesses& processes, const WantedSockets& wanted, const Inodes& owned_before,
                      const Reading& reading) {
  plan(processes, wanted, owned_before, reading.now);
  std::uint64_t links = 0;
  // Returns the last one that was looked at.
  const auto look_at_due = [&](const std::vector<std::int32_t>& pids, std::uint64_t most_links) {
    std::optional<std::int32_t> last;
    for (const auto pid : pids) {
      auto& process = processes.at(pid);
      if (!process.held.due) continue;
      if (last && links >= most_links) break;
      links += look_at(pid, process, wanted, reading);
      last = pid;
    }
    return last;
  };
  look_at_due(likely_owners(processes), kLinksPerRun / 2);
  const auto keys = std::views::keys(processes);
  std::vector<std::int32_t> all(keys.begin(), keys.end());
  std::ranges::rotate(all, std::ranges::upper_bound(all, cursor_));
  if (const auto last = look_at_due(all, kLinksPerRun)) cursor_ = *last;

  const bool any_due =
      std::ranges::any_of(processes, [](const auto& entry) { return entry.second.held.due; });
  if (all_.began_at && !all_.ended_at && !any_due) all_.ended_at = reading.now;
}

Inodes owned_by(const KnownProcesses& processes) {
  Inodes inodes;
  for (const auto& [pid, process] : processes) {
    inodes.insert(process.held.listening.begin(), process.held.listening.end());
    inodes.insert(process.held.close_wait.begin(), process.held.close_wait.end());
  }
  return inodes;
}

void forget_closed(KnownProcesses& processes, const Inodes& close_wait) {
  for (auto& [pid, process] : processes)
    std::erase_if(process.held.close_wait, [&](std::uint32_t inode) { return !close_wait.contains(inode); });
}

void bound_held_sockets(KnownProcesses& processes) {
  std::vector<std::size_t> sizes;
  for (const auto& [pid, process] : processes)
    if (!process.held.listening.empty()) sizes.push_back(process.held.listening.size());
  if (std::reduce(sizes.begin(), sizes.end()) <= kSocketsHeld) return;
  std::ranges::sort(sizes);
  auto left = kSocketsHeld;
  std::size_t most = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    most = std::max<std::size_t>(1, left / (sizes.size() - i));
    if (sizes[i] > most) break;
    left -= sizes[i];
  }
  for (auto& [pid, process] : processes) {
    auto& listening = process.held.listening;
    if (listening.size() <= most) continue;
    listening.resize(most);
    listening.shrink_to_fit();
    process.held.incomplete = true;
  }
}

}  // namespace tcpdiag
