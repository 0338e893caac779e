// SPDX-License-Identifier: Apache-2.0
#include "collectors/open_descriptors.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/collector.h"
#include "core/facts/processes.h"
#include "core/fair_share.h"

namespace tcpdiag {

void count_descriptors(KnownProcesses& processes, const Reading& reading) {
  auto& source = reading.source;
  const auto own = source.size("/proc/self/fd");
  const bool size_is_count = own && *own > 0;
  for (auto& [pid, process] : processes) {
    auto& descriptors = process.descriptors;
    if (!size_is_count && !descriptors.fullest && process.held.listening.empty() &&
        !is_due(pid, process, reading.now))
      continue;
    const auto path = pid_directory(pid) + "/fd";
    const auto count =
        size_is_count ? source.size(path)
                      : source.list(path).map([](const auto& names) { return std::uint64_t{names.size()}; });
    descriptors.count = count ? Count(*count) : Count();
    descriptors.failed = !count && count.error().code != Errc::missing;
  }
}

void choose_fullest(KnownProcesses& processes, Source& source) {
  constexpr double kNearLimit = 0.8;
  struct Full {
    double ratio;
    std::int32_t pid;
    KnownProcess* process;
  };
  std::vector<Full> fullest;
  for (auto& [pid, process] : processes) {
    process.descriptors.fullest = false;
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
  for (const auto& each : fullest) each.process->descriptors.fullest = true;
}

std::optional<double> fullness(const KnownProcess& process) {
  if (!process.limits) return std::nullopt;
  const auto ratio =
      Process{.open_fds = process.descriptors.count, .soft_limit = process.limits->soft}.fd_ratio();
  return ratio && *ratio >= kFullFrom ? ratio : std::nullopt;
}

bool is_judged(const KnownProcess& process) {
  return process.limits && process.limits->soft >= Processes::kSmallestLimit;
}

bool is_uncounted(const KnownProcess& process) {
  if (!process.stat) return true;
  const bool is_empty = process.stat->kernel_thread || process.stat->state == 'Z';
  return !is_empty && (process.descriptors.failed || (process.limits_failed && !process.limits));
}

}  // namespace tcpdiag
