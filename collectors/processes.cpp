// SPDX-License-Identifier: Apache-2.0
#include "collectors/processes.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <span>
#include <utility>

#include "collectors/cgroup.h"
#include "collectors/process_netns.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

std::string directory_of(std::int32_t pid) { return "/proc/" + std::to_string(pid); }

/// The entries of a directory that are numbers, ordered.
template <class Number>
Result<std::vector<Number>> list_numbers(Source& source, const std::string& path) {
  return source.list(path).map([](const std::vector<std::string>& names) {
    std::vector<Number> numbers;
    for (const auto& name : names) {
      if (const auto number = to_number<Number>(name); number && *number >= 0) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  });
}

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

HeldSockets held_sockets(Source& source, const std::string& directory, const Count& open_fds,
                         const std::set<std::uint32_t>& wanted) {
  HeldSockets held;
  std::vector<std::uint32_t> descriptors;
  if (open_fds && *open_fds > ProcessesReader::kLinksPerProcess) {
    // descriptors are handed out lowest first, so a listener's is low: no need to list a million others
    for (std::uint32_t fd = 0; fd < ProcessesReader::kLinksPerProcess; ++fd) descriptors.push_back(fd);
    held.all = false;
  } else if (auto listed = list_numbers<std::uint32_t>(source, directory + "/fd")) {
    descriptors = std::move(*listed);
    held.all = descriptors.size() <= ProcessesReader::kLinksPerProcess;
    if (!held.all) descriptors.resize(ProcessesReader::kLinksPerProcess);
  } else {
    held.gone = listed.error().code == Errc::missing;
    held.all = held.gone;
  }
  for (const auto fd : descriptors) {
    ++held.links;
    const auto link = source.link(directory + "/fd/" + std::to_string(fd));
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
/// be about to be closed, and there are always some.
std::set<std::uint32_t> oldest_close_waits(const Snapshot& snapshot) {
  std::vector<std::pair<TimePoint, std::uint32_t>> by_age;
  for (const auto& netns : snapshot.namespaces) {
    const auto* connections = netns.connections.get();
    if (connections == nullptr) continue;
    const auto most = std::min(connections->close_wait.size(), Processes::kCloseWaitsOwned);
    for (const auto& socket : std::span(connections->close_wait).first(most))
      if (socket.first_seen < netns.connections.read_at) by_age.emplace_back(socket.first_seen, socket.inode);
  }
  std::sort(by_age.begin(), by_age.end());
  by_age.resize(std::min(by_age.size(), Processes::kCloseWaitsOwned));
  std::set<std::uint32_t> inodes;
  for (const auto& [first_seen, inode] : by_age) inodes.insert(inode);
  return inodes;
}

}  // namespace

std::optional<std::uint32_t> parse_socket_link(std::string_view text) {
  constexpr std::string_view kBefore = "socket:[";
  if (!text.starts_with(kBefore) || !text.ends_with(']')) return std::nullopt;
  return to_number<std::uint32_t>(text.substr(kBefore.size(), text.size() - kBefore.size() - 1));
}

/// The listening sockets of all namespaces. Where they are not known at the moment, the last known ones:
/// their owners own them still.
ProcessesReader::Wanted ProcessesReader::wanted_in(const Snapshot& snapshot) {
  listening_.resize(snapshot.namespaces.size());
  Wanted wanted;
  for (std::size_t index = 0; index < listening_.size(); ++index) {
    auto& inodes = listening_[index];
    if (const auto* listeners = snapshot.namespaces[index].listeners.get()) {
      inodes.clear();
      for (const auto& listener : listeners->listeners) {
        for (const auto& socket : listener.sockets) {
          inodes.insert(socket.inode);
          if (socket.queue_length > 0) wanted.waited_on.insert(socket.inode);
        }
      }
    }
    wanted.listening.insert(inodes.begin(), inodes.end());
  }
  wanted.listening.erase(0);
  wanted.close_waits = oldest_close_waits(snapshot);
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
    const auto path = directory_of(pid) + "/fd";
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
  const auto directory = directory_of(pid);
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

  const auto limits = source.read(directory + "/limits").and_then([](const std::string& content) {
    return parse_fd_limits(content);
  });
  if (limits) process.limits = *limits;
  process.limits_failed = is_kept_from_us(limits);
  if (const auto cgroup = source.read(directory + "/cgroup")) process.unit = parse_cgroup_unit(*cgroup);
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

void ProcessesReader::choose_fullest() {
  std::vector<std::pair<double, std::int32_t>> by_ratio;
  for (auto& [pid, process] : known_) {
    process.fullest = false;
    if (!process.limits) continue;
    const auto ratio = Process{.open_fds = process.open_fds, .soft_limit = process.limits->soft}.fd_ratio();
    if (ratio && *ratio >= kFullFrom) by_ratio.emplace_back(*ratio, pid);
  }
  const auto count = std::min(kFullest, by_ratio.size());
  std::partial_sort(by_ratio.begin(), by_ratio.begin() + static_cast<std::ptrdiff_t>(count), by_ratio.end(),
                    std::greater<>());
  by_ratio.resize(count);
  for (const auto& [ratio, pid] : by_ratio) known_.at(pid).fullest = true;
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
    held = held_sockets(reading.source, directory_of(pid), process.open_fds, wanted.all);
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

void ProcessesReader::read_wait_channels(Source& source, const Inodes& waited_on) {
  std::size_t read = 0;
  for (auto& [pid, process] : known_) {
    process.wait_channel.clear();
    if (read >= kWaitChannels || those_in(waited_on, process.sockets).empty()) continue;
    ++read;
    if (const auto text = source.read(directory_of(pid) + "/wchan"))
      process.wait_channel = parse_wait_channel(*text);
  }
}

Processes ProcessesReader::published(const Inodes& listening) const {
  Processes result;
  std::size_t owners = 0;
  for (const auto& [pid, known] : known_) {
    ++result.total;
    if (known.sockets_unsure || known.sweep_due || !known.stat) ++result.unreadable;
    if (is_uncounted(known)) ++result.uncounted;
    if (!known.stat) continue;  // nameless, and perhaps not the one whose sockets were seen
    auto held = those_in(listening, known.sockets);
    const bool owner = !held.empty() || !known.close_waits.empty();
    if (owner && ++owners > kOwners) {
      ++result.owners_cut;
      if (!known.fullest) continue;
    }
    if (!owner && !known.fullest) continue;
    const auto limits = known.limits.value_or(FdLimits());
    result.processes.push_back({.pid = pid,
                                .start_ticks = known.stat->start_ticks,
                                .comm = known.stat->comm,
                                .unit = known.unit,
                                .open_fds = known.open_fds,
                                .soft_limit = limits.soft,
                                .hard_limit = limits.hard,
                                .listener_inodes = std::move(held),
                                .close_wait_inodes = known.close_waits,
                                .state = owner ? known.stat->state : '\0',
                                .wait_channel = known.wait_channel});
  }
  return result;
}

Result<Processes> ProcessesReader::operator()(const Reading& reading) {
  const auto pids = list_numbers<std::int32_t>(reading.source, "/proc");
  if (!pids) return tl::unexpected<Error>(pids.error());
  const auto wanted = wanted_in(reading.previous);
  keep_only(*pids);
  forget_close_waits(wanted.close_waits);
  count_descriptors(reading);
  refresh_due(reading);
  choose_fullest();
  refresh_named(reading);
  plan_close_waits(wanted, reading.now);
  plan_sweep(wanted, reading.now);
  sweep(reading, wanted);
  refresh_named(reading);  // those in whom the sweep has found a socket
  read_wait_channels(reading.source, wanted.waited_on);
  owned_ = owned();
  auto result = published(wanted.listening);
  result.some_hidden = !std::binary_search(pids->begin(), pids->end(), 1);
  closed_.look(reading, result);
  mark_elsewhere(reading.source, result);
  return result;
}

}  // namespace tcpdiag
