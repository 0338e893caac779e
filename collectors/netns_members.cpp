// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_members.h"

#include <algorithm>
#include <string>

#include "collectors/proc_pid.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

/// Empty: it has ended.
std::optional<std::uint64_t> read_start(Source& source, std::int32_t pid) {
  const auto text = source.read(pid_directory(pid) + "/stat");
  const auto stat = text ? parse_pid_stat(*text) : tl::unexpected<Error>(text.error());
  return stat ? std::optional(stat->start_ticks) : std::nullopt;
}

struct Place {
  std::uint64_t inode = 0;
  bool denied = false;
};

Place read_place(Source& source, std::int32_t pid) {
  const auto link = source.link(pid_directory(pid) + "/ns/net");
  if (!link) return {.inode = 0, .denied = link.error().code == Errc::denied};
  return {.inode = parse_netns_link(*link).value_or(0), .denied = false};
}

}  // namespace

std::optional<std::uint64_t> parse_netns_link(std::string_view text) {
  constexpr std::string_view kBefore = "net:[";
  if (!text.starts_with(kBefore) || !text.ends_with(']')) return std::nullopt;
  return to_number<std::uint64_t>(text.substr(kBefore.size(), text.size() - kBefore.size() - 1));
}

Result<std::uint64_t> read_own_netns(Source& source) {
  constexpr auto kOwn = "/proc/self/ns/net";
  const auto link = source.link(kOwn);
  if (!link) return tl::unexpected<Error>(link.error());
  const auto inode = parse_netns_link(*link);
  if (!inode) return unexpected(Errc::malformed, std::string(kOwn) + ": not a network namespace");
  return *inode;
}

Result<void> NetnsMembers::look(Source& source, std::uint64_t own) {
  const auto pids = read_pids(source);
  if (!pids) return tl::unexpected<Error>(pids.error());
  own_ = own;
  for (auto& member : members_) member.joined = false;
  merge(*pids);
  ask_some_again(source);
  for (auto& member : members_)
    if (member.joined && member.inode == 0) ask(source, member);
  return {};
}

/// Keeps those that are still listed; the others that are listed have joined, and live nowhere yet.
void NetnsMembers::merge(std::span<const std::int32_t> pids) {
  std::vector<NetnsMember> merged;
  merged.reserve(pids.size());
  auto known = members_.begin();
  for (const auto pid : pids) {
    while (known != members_.end() && known->pid < pid) ++known;
    const bool is_known = known != members_.end() && known->pid == pid;
    merged.push_back(is_known ? *known : NetnsMember{.pid = pid, .joined = true});
  }
  members_ = std::move(merged);
}

void NetnsMembers::ask(Source& source, NetnsMember& member) const {
  const auto place = read_place(source, member.pid);
  member = {.pid = member.pid, .inode = place.inode, .denied = place.denied, .joined = true};
  // The oldest of the daemon's own namespace need not be known, and there most processes live.
  if (member.inode == 0 || member.inode == own_) return;
  const auto start = read_start(source, member.pid);
  member.start_ticks = start.value_or(0);
  if (!start) member.inode = 0;
}

void NetnsMembers::ask_some_again(Source& source) {
  const auto begin = std::ranges::upper_bound(members_, asked_until_, {}, &NetnsMember::pid);
  const auto before = static_cast<std::size_t>(begin - members_.begin());
  std::size_t asked = 0;
  for (std::size_t i = 0; i < members_.size() && asked < kAskedAgain; ++i) {
    auto& member = members_[(before + i) % members_.size()];
    if (member.joined) continue;
    const auto place = read_place(source, member.pid);
    if (place.inode != member.inode || place.denied != member.denied) ask(source, member);
    asked_until_ = member.pid;
    ++asked;
  }
}

bool NetnsMembers::confirm(Source& source, NetnsMember& member) {
  const auto place = read_place(source, member.pid);
  const bool is_there = place.inode == member.inode &&
                        (member.inode == own_ || read_start(source, member.pid) == member.start_ticks);
  if (!is_there) ask(source, member);
  return is_there;
}

}  // namespace tcpdiag
