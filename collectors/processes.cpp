// SPDX-License-Identifier: Apache-2.0
#include "collectors/processes.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/open_descriptors.h"
#include "collectors/process_netns.h"
#include "core/fair_share.h"

namespace tcpdiag {
namespace {

/// The owners of listeners and of sockets in CLOSE_WAIT, first those that a person needs to know of.
std::vector<std::int32_t> owners_in_turn(const KnownProcesses& processes, const WantedSockets& wanted) {
  struct Held {
    std::uint32_t inode, uid;
    std::int32_t pid;
    bool in_trouble;
    std::uint64_t start_ticks;
  };
  std::vector<Held> all;
  for (const auto& [pid, process] : processes) {
    if (!process.stat) continue;  // nameless, and perhaps not the one whose sockets were seen
    constexpr double kFull = 0.95;
    const bool in_trouble = process.stat->state == 'T' || fullness(process) >= kFull;
    for (const auto* inodes : {&process.held.listening, &process.held.close_wait})
      for (const auto inode : *inodes)
        if (const auto uid = wanted.uids.find(inode); uid != wanted.uids.end())
          all.push_back({inode, uid->second, pid, in_trouble, process.stat->start_ticks});
  }
  std::ranges::sort(all, {}, [](const Held& held) {
    return std::tuple(!held.in_trouble, held.start_ticks, held.pid, held.inode);
  });
  share_out(all, &Held::inode);
  share_out(all, &Held::uid);
  std::vector<std::int32_t> owners;
  std::set<std::int32_t> seen;
  for (const auto& held : all)
    if (seen.insert(held.pid).second) owners.push_back(held.pid);
  return owners;
}

/// By pid.
std::map<std::int32_t, std::string> read_wait_channels(Source& source, const KnownProcesses& processes,
                                                       const std::vector<std::int32_t>& owners,
                                                       const Inodes& waited_on) {
  std::map<std::int32_t, std::string> channels;
  for (const auto pid : owners) {
    if (channels.size() >= ProcessesReader::kWaitChannels) break;
    if (those_in(waited_on, processes.at(pid).held.listening).empty()) continue;
    const auto text = source.read(pid_directory(pid) + "/wchan");
    channels[pid] = text ? parse_wait_channel(*text) : std::string();
  }
  return channels;
}

/// The listening sockets that some processes hold which are not shown.
std::vector<CrowdedSocket> crowded_sockets(const KnownProcesses& processes, const Inodes& listening,
                                           const std::vector<Process>& shown) {
  std::map<std::uint32_t, std::uint64_t> holders;
  for (const auto& [pid, process] : processes)
    if (process.stat)
      for (const auto inode : those_in(listening, process.held.listening)) ++holders[inode];
  auto not_shown = holders;
  for (const auto& process : shown)
    for (const auto inode : process.listener_inodes) --not_shown[inode];
  std::vector<CrowdedSocket> crowded;
  for (const auto& [inode, count] : not_shown)
    if (count > 0 && crowded.size() < Processes::kCrowdedSockets)
      crowded.push_back({inode, holders.at(inode)});
  return crowded;
}

Process process_of(std::int32_t pid, const KnownProcess& known, const Inodes& listening) {
  const auto limits = known.limits.value_or(FdLimits());
  Process process{.pid = pid,
                  .start_ticks = known.stat->start_ticks,
                  .comm = known.stat->comm,
                  .owner = known.owner,
                  .open_fds = known.descriptors.count,
                  .soft_limit = limits.soft,
                  .hard_limit = limits.hard,
                  .listener_inodes = those_in(listening, known.held.listening),
                  .close_wait_inodes = known.held.close_wait,
                  .uid = known.uid};
  const bool owner = !process.listener_inodes.empty() || !process.close_wait_inodes.empty();
  if (owner) process.state = known.stat->state;
  return process;
}

Processes published(Source& source, const KnownProcesses& processes, const WantedSockets& wanted) {
  const auto owners = owners_in_turn(processes, wanted);
  const auto wait_channels = read_wait_channels(source, processes, owners, wanted.waited_on);
  const auto kept = std::min(owners.size(), ProcessesReader::kOwners);
  const std::set<std::int32_t> named(owners.begin(), owners.begin() + static_cast<std::ptrdiff_t>(kept));
  Processes result{.total = processes.size(), .owners_cut = owners.size() - kept};
  for (const auto& [pid, known] : processes) {
    if (known.held.incomplete || known.held.due || !known.stat) ++result.unreadable;
    if (is_uncounted(known)) ++result.uncounted;
    if (!known.stat) continue;
    if (known.descriptors.fullest || named.contains(pid)) {
      auto& process = result.processes.emplace_back(process_of(pid, known, wanted.listening));
      if (const auto channel = wait_channels.find(pid); channel != wait_channels.end())
        process.wait_channel = channel->second;
    } else if (const auto ratio = fullness(known); ratio && is_judged(known)) {
      ++result.fullest_cut;
      result.fullest_cut_ratio = std::max(result.fullest_cut_ratio, *ratio);
    }
  }
  if (result.owners_cut > 0) result.crowded = crowded_sockets(processes, wanted.listening, result.processes);
  return result;
}

}  // namespace

Result<Processes> ProcessesReader::operator()(const Reading& reading) {
  const auto pids = read_pids(reading.source);
  if (!pids) return tl::unexpected<Error>(pids.error());
  const auto owned_before = owned_by(known_);
  wanted_.update(reading.previous);
  keep_listed(known_, *pids);
  forget_closed(known_, wanted_.close_wait);
  count_descriptors(known_, reading);
  refresh_if(is_due, known_, reading);
  choose_fullest(known_, reading.source);
  refresh_if(is_named_unread, known_, reading);
  sweep_.run(known_, wanted_, owned_before, reading);
  refresh_if(is_named_unread, known_, reading);  // those in which the sweep has found a socket
  bound_held_sockets(known_);
  auto result = published(reading.source, known_, wanted_);
  result.some_hidden = !std::ranges::binary_search(*pids, 1);
  closed_.look(reading, result);
  mark_elsewhere(reading.source, result);
  return result;
}

}  // namespace tcpdiag
