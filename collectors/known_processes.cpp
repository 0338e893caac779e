// SPDX-License-Identifier: Apache-2.0
#include "collectors/known_processes.h"

#include <chrono>
#include <iterator>
#include <utility>

#include "collectors/cgroup.h"
#include "collectors/collector.h"

namespace tcpdiag {
namespace {

/// False: the process has ended.
bool refresh(KnownProcess& process, std::int32_t pid, const Reading& reading) {
  auto& source = reading.source;
  const auto directory = pid_directory(pid);
  auto stat = source.read(directory + "/stat").and_then(parse_pid_stat);
  if (!stat && stat.error().code == Errc::missing) return false;
  const bool another = process.stat && stat && stat->start_ticks != process.stat->start_ticks;
  if (another) process = {.descriptors = process.descriptors};  // these were counted in this run
  process.read_at = reading.now;
  if (stat)
    process.stat = std::move(*stat);
  else if (process.stat)
    process.stat->state = 0;
  // It holds nothing any more: what it had is its children's, or gone.
  if (process.stat && process.stat->state == 'Z') {
    process.held.listening.clear();
    process.held.close_wait.clear();
  }

  const auto limits = source.read(directory + "/limits").and_then(parse_fd_limits);
  if (limits) process.limits = *limits;
  process.limits_failed = !limits && limits.error().code != Errc::missing;
  if (auto owner = read_cgroup_owner(source, directory)) process.owner = std::move(*owner);
  return true;
}

}  // namespace

void keep_listed(KnownProcesses& processes, const std::vector<std::int32_t>& pids) {
  KnownProcesses listed;
  for (const auto pid : pids) {
    if (auto node = processes.extract(pid))
      listed.insert(listed.end(), std::move(node));
    else
      listed.try_emplace(listed.end(), pid);
  }
  processes = std::move(listed);
}

bool is_due(std::int32_t pid, const KnownProcess& process, TimePoint now) {
  constexpr std::chrono::milliseconds kLeast = std::chrono::seconds(30);
  return !process.read_at || now - *process.read_at >= kLeast + kLeast * (pid % 64) / 64;
}

bool is_named_unread(std::int32_t, const KnownProcess& process, TimePoint now) {
  return process.is_named() && process.read_at != now;
}

void refresh_if(bool (*is_meant)(std::int32_t, const KnownProcess&, TimePoint), KnownProcesses& processes,
                const Reading& reading) {
  for (auto entry = processes.begin(); entry != processes.end();) {
    auto& [pid, process] = *entry;
    const bool ended = is_meant(pid, process, reading.now) && !refresh(process, pid, reading);
    entry = ended ? processes.erase(entry) : std::next(entry);
  }
}

}  // namespace tcpdiag
