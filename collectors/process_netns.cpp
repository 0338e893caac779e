// SPDX-License-Identifier: Apache-2.0
#include "collectors/process_netns.h"

#include <optional>
#include <string>

#include "collectors/proc_pid.h"

namespace tcpdiag {
namespace {

constexpr auto kOwn = "/proc/self/ns/net";
// Nobody asks for those that use less: a share below that of the findings about it.
constexpr double kMuch = 0.5;

}  // namespace

Result<void> check_own_netns(Source& source, std::int32_t pid) {
  const auto own = source.link(kOwn);
  if (!own) return tl::unexpected<Error>(own.error());
  const auto theirs = source.link(pid_directory(pid) + "/ns/net");
  if (!theirs) return tl::unexpected<Error>(theirs.error());
  if (*own != *theirs)
    return unexpected(Errc::no_netns, pid_directory(pid) + ": in another network namespace");
  return {};
}

bool is_in_inner_netns(Source& source) {
  const auto setting = source.read("/proc/sys/net/core/netdev_max_backlog");
  return !setting && setting.error().code == Errc::missing;
}

void mark_elsewhere(Source& source, Processes& processes) {
  std::optional<bool> is_inner;  // asked for when it matters
  for (auto& process : processes.processes) {
    const bool matters = process.soft_limit >= Processes::kSmallestLimit && process.fd_ratio() >= kMuch &&
                         process.listener_inodes.empty() && process.close_wait_inodes.empty();
    if (!matters) continue;
    if (!is_inner) is_inner = is_in_inner_netns(source);
    if (!*is_inner) return;
    const auto own = check_own_netns(source, process.pid);
    process.elsewhere = !own && own.error().code == Errc::no_netns;
  }
}

}  // namespace tcpdiag
