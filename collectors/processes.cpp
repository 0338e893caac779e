// SPDX-License-Identifier: Apache-2.0
#include "collectors/processes.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <tuple>
#include <utility>

#include "collectors/cgroup.h"
#include "collectors/process_netns.h"
#include "core/facts/listeners.h"
#include "core/fair_share.h"

namespace tcpdiag {
namespace {

/// Whether it is there and could not be read. What is missing has ended.
template <class T>
bool is_kept_from_us(const Result<T>& result) {
  return !result && result.error().code != Errc::missing;
}

/// Whether a process is to be read again: spread over the second half of the interval, so that those which
/// were found in one run are not read again in one run.
bool is_due(const std::optional<TimePoint>& read_at, std::int32_t pid, TimePoint now) {
  constexpr auto kHalf = std::chrono::milliseconds(ProcessesReader::kRecheckInterval) / 2;
  return !read_at || now - *read_at >= kHalf + kHalf * (pid % 64) / 64;
}

/// Of `inodes`, which are ordered, those that are in the set; ordered.
std::vector<std::uint32_t> those_in(const std::set<std::uint32_t>& set,
                                    const std::vector<std::uint32_t>& inodes) {
  std::vector<std::uint32_t> found;
  std::copy_if(inodes.begin(), inodes.end(), std::back_inserter(found),
               [&](std::uint32_t inode) { return set.contains(inode); });
  return found;
}

struct HeldSockets {
  std::vector<std::uint32_t> inodes;  // the wanted ones; ordered
  std::uint64_t links = 0;            // that were read
  bool all = true;                    // false: there may be more
  bool gone = false;                  // the process has ended, as it seems
};

HeldSockets held_sockets(Source& source, std::int32_t pid, const Count& open_fds,
                         const std::set<std::uint32_t>& wanted) {
  HeldSockets held;
  std::vector<std::uint32_t> descriptors;
  if (open_fds && *open_fds > ProcessesReader::kLinksPerProcess) {
    // descriptors are handed out lowest first, so a listener's is low: no need to list a million others
    for (std::uint32_t fd = 0; fd < ProcessesReader::kLinksPerProcess; ++fd) descriptors.push_back(fd);
    held.all = false;
  } else if (auto listed = read_fds(source, pid)) {
    descriptors = std::move(*listed);
    held.all = descriptors.size() <= ProcessesReader::kLinksPerProcess;
    if (!held.all) descriptors.resize(ProcessesReader::kLinksPerProcess);
  } else {
    held.gone = listed.error().code == Errc::missing;
    held.all = held.gone;
  }
  for (const auto fd : descriptors) {
    ++held.links;
    const auto link = source.link(pid_directory(pid) + "/fd/" + std::to_string(fd));
    if (!link && link.error().code == Errc::missing) continue;  // closed meanwhile
    if (!link) {
      held.all = false;  // what forbids one forbids all
      break;
    }
    if (const auto inode = parse_socket_link(*link); inode && wanted.contains(*inode))
      held.inodes.push_back(*inode);
  }
  std::sort(held.inodes.begin(), held.inodes.end());
  held.inodes.erase(std::unique(held.inodes.begin(), held.inodes.end()), held.inodes.end());
  return held;
}

/// The oldest sockets in CLOSE_WAIT of all namespaces, of those that two dumps have shown: younger ones may
/// be about to be closed, and there are always some. Of each user some, where there are very many.
std::vector<CloseWait> oldest_close_waits(const Snapshot& snapshot) {
  std::vector<CloseWait> oldest;
  for (const auto& netns : snapshot.namespaces)
    if (const auto* connections = netns.connections.get())
      std::ranges::copy_if(connections->close_wait, std::back_inserter(oldest), [&](const CloseWait& socket) {
        return socket.first_seen < netns.connections.read_at;
      });
  std::ranges::sort(oldest, {}, [](const CloseWait& each) { return std::pair(each.first_seen, each.inode); });
  if (oldest.size() > Processes::kCloseWaitsOwned) {
    share_out(oldest, &CloseWait::uid);
    oldest.resize(Processes::kCloseWaitsOwned);
  }
  return oldest;
}

}  // namespace

/// The listening sockets of all namespaces. Where they are not known at the moment, the last known ones:
/// their owners own them still.
ProcessesReader::Wanted ProcessesReader::wanted_in(const Snapshot& snapshot) {
  std::erase_if(listening_, [&](const auto& known) { return snapshot.find(known.first) == nullptr; });
  Wanted wanted;
  for (const auto& netns : snapshot.namespaces) {
    auto& users = listening_[netns.id];
    if (const auto* listeners = netns.listeners.get()) {
      users.clear();
      for (const auto& listener : listeners->listeners) {
        for (const auto& socket : listener.sockets) {
          users.emplace(socket.inode, socket.uid);
          if (socket.queue_length > 0) wanted.waited_on.insert(socket.inode);
        }
      }
    }
    wanted.users.insert(users.begin(), users.end());
  }
  wanted.users.erase(0);
  for (const auto& [inode, user] : wanted.users) wanted.listening.insert(wanted.listening.end(), inode);
  for (const auto& socket : oldest_close_waits(snapshot)) {
    wanted.close_waits.insert(socket.inode);
    wanted.users.emplace(socket.inode, socket.uid);
  }
  wanted.all = wanted.listening;
  wanted.all.insert(wanted.close_waits.begin(), wanted.close_waits.end());
  return wanted;
}

void ProcessesReader::keep_only(const std::vector<std::int32_t>& pids) {
  std::map<std::int32_t, Known> present;
  for (const auto pid : pids) {
    if (auto node = known_.extract(pid))
      present.insert(present.end(), std::move(node));
    else
      present.try_emplace(present.end(), pid);
  }
  known_ = std::move(present);
}

void ProcessesReader::count_descriptors(const Reading& reading) {
  auto& source = reading.source;
  const auto own = source.size("/proc/self/fd");
  const bool size_is_count = own && *own > 0;
  for (auto& [pid, process] : known_) {
    const auto path = pid_directory(pid) + "/fd";
    if (size_is_count) {
      const auto size = source.size(path);
      process.open_fds = size ? Count(*size) : Count();
      process.count_failed = is_kept_from_us(size);
    } else if (process.fullest || !process.sockets.empty() || is_due(process.read_at, pid, reading.now)) {
      const auto names = source.list(path);
      process.open_fds = names ? Count(names->size()) : Count();
      process.count_failed = is_kept_from_us(names);
    }
  }
}

/// Whether it may be at its limit, for all that is known.
bool ProcessesReader::is_uncounted(const Known& process) {
  if (!process.stat) return true;
  const bool is_empty = process.stat->kernel_thread || process.stat->state == 'Z';
  return !is_empty && (process.count_failed || (process.limits_failed && !process.limits));
}

/// Reads what seldom changes, and keeps what is known where that fails. False: the process has ended.
bool ProcessesReader::refresh(Source& source, std::int32_t pid, Known& process, TimePoint now) {
  const auto directory = pid_directory(pid);
  const auto text = source.read(directory + "/stat");
  if (!text && text.error().code == Errc::missing) return false;
  auto stat = text.and_then([](const std::string& content) { return parse_pid_stat(content); });
  const bool another = process.stat && stat && stat->start_ticks != process.stat->start_ticks;
  if (another)  // with the number of one that has ended
    process =
        Known{.open_fds = process.open_fds, .count_failed = process.count_failed, .fullest = process.fullest};
  process.read_at = now;
  if (stat)
    process.stat = std::move(*stat);
  else if (process.stat)
    process.stat->state = 0;
  // It holds nothing any more: what it had is its children's, or gone.
  if (process.stat && process.stat->state == 'Z') {
    process.sockets.clear();
    process.close_waits.clear();
  }

  const auto limits = source.read(directory + "/limits").and_then([](const std::string& content) {
    return parse_fd_limits(content);
  });
  if (limits) process.limits = *limits;
  process.limits_failed = is_kept_from_us(limits);
  if (auto owner = read_cgroup_owner(source, directory)) process.owner = std::move(*owner);
  return true;
}

void ProcessesReader::refresh_due(const Reading& reading) {
  for (auto entry = known_.begin(); entry != known_.end();) {
    auto& [pid, process] = *entry;
    const bool ended =
        is_due(process.read_at, pid, reading.now) && !refresh(reading.source, pid, process, reading.now);
    entry = ended ? known_.erase(entry) : std::next(entry);
  }
}

/// The share of its limit that it uses, if that is enough to be named.
std::optional<double> ProcessesReader::fullness(const Known& process) {
  if (!process.limits) return std::nullopt;
  const auto ratio = Process{.open_fds = process.open_fds, .soft_limit = process.limits->soft}.fd_ratio();
  return ratio && *ratio >= kFullFrom ? ratio : std::nullopt;
}

/// Whether a rule may say that it is near its limit.
bool ProcessesReader::is_judged(const Known& process) {
  return process.limits && process.limits->soft >= Processes::kSmallestLimit;
}

// What a user does must not hide another user's process, nor what runs in one unit that in another.
void ProcessesReader::choose_fullest(Source& source) {
  constexpr double kNearLimit = 0.8;
  struct Full {
    double ratio;
    std::int32_t pid;
    Known* process;
  };
  std::vector<Full> fullest;
  for (auto& [pid, process] : known_) {
    process.fullest = false;
    if (const auto ratio = fullness(process)) fullest.push_back({*ratio, pid, &process});
  }
  const auto by_worth = [](const Full& each) { return std::pair(is_judged(*each.process), each.ratio); };
  std::ranges::stable_sort(fullest, std::greater<>(), by_worth);
  const bool too_many = fullest.size() > kFullest;
  for (const auto& [ratio, pid, process] : fullest)
    if (!process->uid && (too_many || ratio >= kNearLimit))
      if (const auto text = source.read(pid_directory(pid) + "/status")) process->uid = parse_pid_user(*text);
  if (too_many) {
    share_out(fullest,
              [](const Full& each) { return std::pair(each.process->uid, to_string(each.process->owner)); });
    share_out(fullest, [](const Full& each) { return each.process->uid; });
    std::ranges::stable_sort(fullest, std::greater<>(),
                             [](const Full& each) { return is_judged(*each.process); });
    fullest.resize(kFullest);
  }
  for (const auto& each : fullest) each.process->fullest = true;
}

void ProcessesReader::forget_close_waits(const Inodes& wanted) {
  for (auto& [pid, process] : known_)
    std::erase_if(process.close_waits, [&](std::uint32_t inode) { return !wanted.contains(inode); });
}

// Whoever will be named is read anew, lest a socket be told with the name of the program before the present
// one, or of the process that had the number before.
void ProcessesReader::refresh_named(const Reading& reading) {
  for (auto entry = known_.begin(); entry != known_.end();) {
    auto& [pid, process] = *entry;
    const bool named = process.fullest || !process.sockets.empty() || !process.close_waits.empty();
    const bool ended =
        named && process.read_at != reading.now && !refresh(reading.source, pid, process, reading.now);
    entry = ended ? known_.erase(entry) : std::next(entry);
  }
}

ProcessesReader::Inodes ProcessesReader::owned() const {
  Inodes inodes;
  for (const auto& [pid, process] : known_) {
    inodes.insert(process.sockets.begin(), process.sockets.end());
    inodes.insert(process.close_waits.begin(), process.close_waits.end());
  }
  return inodes;
}

// A socket that was looked for in vain where it is likely to be is looked for everywhere, once.
void ProcessesReader::plan_close_waits(const Wanted& wanted, TimePoint now) {
  const auto owned_now = owned();
  all_due_ = all_due_ || std::any_of(looked_for_.begin(), looked_for_.end(), [&](std::uint32_t inode) {
               return wanted.close_waits.contains(inode) && !owned_now.contains(inode) &&
                      !swept_for_.contains(inode);
             });
  if (std::includes(looked_for_.begin(), looked_for_.end(), wanted.close_waits.begin(),
                    wanted.close_waits.end()) ||
      (looked_at_ && now - *looked_at_ < kCloseWaitInterval))
    return;
  looked_for_ = wanted.close_waits;
  looked_at_ = now;
  for (auto& [pid, process] : known_)
    if (process.fullest || !process.sockets.empty() || !process.close_waits.empty()) process.sweep_due = true;
}

void ProcessesReader::plan_sweep(const Wanted& wanted, TimePoint now) {
  const auto owned_now = owned();
  const bool lost_an_owner = std::any_of(owned_.begin(), owned_.end(), [&](std::uint32_t inode) {
    return wanted.listening.contains(inode) && !owned_now.contains(inode);
  });
  const bool appeared =
      !std::includes(swept_for_.begin(), swept_for_.end(), wanted.listening.begin(), wanted.listening.end());
  // One that comes back is looked for again.
  std::erase_if(swept_for_, [&](std::uint32_t inode) { return !wanted.all.contains(inode); });
  all_due_ = all_due_ || lost_an_owner;
  const auto rested = [&](std::chrono::seconds rest) {
    return !sweeping_ && (!all_ended_at_ || now - *all_ended_at_ >= rest);
  };
  const auto rest = all_began_at_ == all_ended_at_ ? std::chrono::seconds::zero() : kLongSweepRest;
  // A sweep under way needs no rest to look for one more: it comes to all once more, and goes on where it is.
  const bool all = (appeared && (sweeping_ || rested(rest))) || (all_due_ && rested(kSweepInterval));
  if (all) {
    if (!sweeping_) all_began_at_ = now;
    sweeping_ = true;
    all_due_ = false;
    swept_for_ = wanted.all;
  }
  for (auto& [pid, process] : known_) {
    const bool recheck =
        (!process.sockets.empty() || !process.close_waits.empty() || process.sockets_unsure) &&
        (!process.swept_at || now - *process.swept_at >= kRecheckInterval);
    if (all || recheck || process.gone) process.sweep_due = true;
  }
}

/// The new processes, then those that own one of the sockets already.
std::vector<std::int32_t> ProcessesReader::likely_owners() const {
  std::vector<std::int32_t> pids;
  for (const auto& [pid, process] : known_)
    if (!process.swept_at) pids.push_back(pid);
  for (const auto& [pid, process] : known_)
    if (process.swept_at && !(process.sockets.empty() && process.close_waits.empty())) pids.push_back(pid);
  return pids;
}

/// Beginning behind the one that was reached last.
std::vector<std::int32_t> ProcessesReader::all_in_turn() const {
  std::vector<std::int32_t> pids;
  const auto next = known_.upper_bound(cursor_);
  for (auto entry = next; entry != known_.end(); ++entry) pids.push_back(entry->first);
  for (auto entry = known_.begin(); entry != next; ++entry) pids.push_back(entry->first);
  return pids;
}

/// Returns how many links were read.
std::uint64_t ProcessesReader::look_at(const Reading& reading, std::int32_t pid, Known& process,
                                       const Wanted& wanted) {
  process.sweep_due = false;
  process.swept_at = reading.now;
  HeldSockets held;
  if (process.open_fds != 0U && !wanted.all.empty())
    held = held_sockets(reading.source, pid, process.open_fds, wanted.all);
  process.sockets = those_in(wanted.listening, held.inodes);
  process.close_waits = those_in(wanted.close_waits, held.inodes);
  process.sockets_unsure = !held.all;
  process.gone = held.gone;
  return held.links;
}

void ProcessesReader::sweep(const Reading& reading, const Wanted& wanted) {
  std::uint64_t links = 0;
  // Returns the last one that was looked at.
  const auto look_at_due = [&](const std::vector<std::int32_t>& pids, std::uint64_t most_links) {
    std::optional<std::int32_t> last;
    for (const auto pid : pids) {
      auto& process = known_.at(pid);
      if (!process.sweep_due) continue;
      if (last && links >= most_links) break;
      links += look_at(reading, pid, process, wanted);
      last = pid;
    }
    return last;
  };
  look_at_due(likely_owners(), kLinksPerRun / 2);
  if (const auto last = look_at_due(all_in_turn(), kLinksPerRun)) cursor_ = *last;

  const bool ended =
      std::none_of(known_.begin(), known_.end(), [](const auto& entry) { return entry.second.sweep_due; });
  if (sweeping_ && ended) {
    sweeping_ = false;
    all_ended_at_ = reading.now;
  }
}

// Children inherit what their parent holds: many processes may hold very many sockets each. Those that hold
// most are cut to the same number.
void ProcessesReader::bound_held_sockets() {
  std::vector<std::size_t> sizes;
  std::size_t sum = 0;
  for (const auto& [pid, process] : known_) {
    sum += process.sockets.size();
    if (!process.sockets.empty()) sizes.push_back(process.sockets.size());
  }
  if (sum <= kSocketsHeld) return;
  std::ranges::sort(sizes);
  auto left = kSocketsHeld;
  std::size_t most = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    most = std::max<std::size_t>(1, left / (sizes.size() - i));
    if (sizes[i] > most) break;
    left -= sizes[i];
  }
  for (auto& [pid, process] : known_) {
    if (process.sockets.size() <= most) continue;
    process.sockets.resize(most);
    process.sockets.shrink_to_fit();
    process.sockets_unsure = true;
  }
}

/// The owners of listeners and of sockets in CLOSE_WAIT, first those that a person needs to know of.
std::vector<std::int32_t> ProcessesReader::owners_in_turn(const Wanted& wanted) const {
  struct Held {
    std::uint32_t inode, user;
    std::int32_t pid;
    bool in_trouble;
    std::uint64_t start_ticks;
  };
  std::vector<Held> all;
  for (const auto& [pid, known] : known_) {
    if (!known.stat) continue;  // nameless, and perhaps not the one whose sockets were seen
    constexpr double kFull = 0.95;
    const bool in_trouble = known.stat->state == 'T' || fullness(known) >= kFull;
    for (const auto* inodes : {&known.sockets, &known.close_waits})
      for (const auto inode : *inodes)
        if (const auto user = wanted.users.find(inode); user != wanted.users.end())
          all.push_back({inode, user->second, pid, in_trouble, known.stat->start_ticks});
  }
  std::ranges::sort(all, {}, [](const Held& held) {
    return std::tuple(!held.in_trouble, held.start_ticks, held.pid, held.inode);
  });
  share_out(all, &Held::inode);
  share_out(all, &Held::user);
  std::vector<std::int32_t> owners;
  std::set<std::int32_t> seen;
  for (const auto& held : all)
    if (seen.insert(held.pid).second) owners.push_back(held.pid);
  return owners;
}

void ProcessesReader::read_wait_channels(Source& source, const std::vector<std::int32_t>& owners,
                                         const Inodes& waited_on) {
  for (auto& [pid, process] : known_) process.wait_channel.clear();
  std::size_t read = 0;
  for (const auto pid : owners) {
    auto& process = known_.at(pid);
    if (read >= kWaitChannels) return;
    if (those_in(waited_on, process.sockets).empty()) continue;
    ++read;
    if (const auto text = source.read(pid_directory(pid) + "/wchan"))
      process.wait_channel = parse_wait_channel(*text);
  }
}

namespace {

/// The sockets that some of the owners hold which are left out.
std::vector<CrowdedSocket> crowded_sockets(const std::set<std::uint32_t>& short_of,
                                           const std::map<std::uint32_t, std::uint64_t>& holders) {
  std::vector<CrowdedSocket> crowded;
  for (const auto inode : short_of)
    if (crowded.size() < Processes::kCrowdedSockets) crowded.push_back({inode, holders.at(inode)});
  return crowded;
}

}  // namespace

Processes ProcessesReader::published(const Wanted& wanted, const std::vector<std::int32_t>& owners) const {
  Processes result;
  const auto kept = std::min(owners.size(), kOwners);
  const std::set<std::int32_t> named(owners.begin(), owners.begin() + static_cast<std::ptrdiff_t>(kept));
  result.owners_cut = owners.size() - kept;
  std::map<std::uint32_t, std::uint64_t> holders;  // counted only where some are left out
  Inodes short_of;
  for (const auto& [pid, known] : known_) {
    ++result.total;
    if (known.sockets_unsure || known.sweep_due || !known.stat) ++result.unreadable;
    if (is_uncounted(known)) ++result.uncounted;
    if (!known.stat) continue;
    auto held = those_in(wanted.listening, known.sockets);
    const bool owner = !held.empty() || !known.close_waits.empty();
    const bool shown = known.fullest || named.contains(pid);
    if (result.owners_cut != 0)
      for (const auto inode : held) {
        ++holders[inode];
        if (!shown) short_of.insert(inode);
      }
    if (const auto ratio = fullness(known); ratio && is_judged(known) && !shown) {
      ++result.fullest_cut;
      result.fullest_cut_ratio = std::max(result.fullest_cut_ratio, *ratio);
    }
    if (!shown) continue;
    const auto limits = known.limits.value_or(FdLimits());
    result.processes.push_back({.pid = pid,
                                .start_ticks = known.stat->start_ticks,
                                .comm = known.stat->comm,
                                .owner = known.owner,
                                .open_fds = known.open_fds,
                                .soft_limit = limits.soft,
                                .hard_limit = limits.hard,
                                .listener_inodes = std::move(held),
                                .close_wait_inodes = known.close_waits,
                                .uid = known.uid,
                                .state = owner ? known.stat->state : '\0',
                                .wait_channel = known.wait_channel});
  }
  result.crowded = crowded_sockets(short_of, holders);
  return result;
}

Result<Processes> ProcessesReader::operator()(const Reading& reading) {
  const auto pids = read_pids(reading.source);
  if (!pids) return tl::unexpected<Error>(pids.error());
  const auto wanted = wanted_in(reading.previous);
  keep_only(*pids);
  forget_close_waits(wanted.close_waits);
  count_descriptors(reading);
  refresh_due(reading);
  choose_fullest(reading.source);
  refresh_named(reading);
  plan_close_waits(wanted, reading.now);
  plan_sweep(wanted, reading.now);
  sweep(reading, wanted);
  refresh_named(reading);  // those in whom the sweep has found a socket
  bound_held_sockets();
  const auto owners = owners_in_turn(wanted);
  read_wait_channels(reading.source, owners, wanted.waited_on);
  owned_ = owned();
  auto result = published(wanted, owners);
  result.some_hidden = !std::binary_search(pids->begin(), pids->end(), 1);
  closed_.look(reading, result);
  mark_elsewhere(reading.source, result);
  return result;
}

}  // namespace tcpdiag
