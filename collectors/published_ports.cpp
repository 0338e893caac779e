// SPDX-License-Identifier: Apache-2.0
#include "collectors/published_ports.h"

#include <algorithm>
#include <string>

#include "collectors/proc_pid.h"
#include "core/listen_address.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kProxy = "docker-proxy";
// Its addresses and ports come first and are short; what is longer is no docker-proxy.
constexpr std::size_t kMostBytes = 4096;

std::string_view next_argument(std::string_view& cmdline) {
  const auto end = std::min(cmdline.find('\0'), cmdline.size());
  const auto argument = cmdline.substr(0, end);
  cmdline.remove_prefix(std::min(end + 1, cmdline.size()));
  return argument;
}

/// Go takes -NAME VALUE, --NAME VALUE and both with "=" (package flag).
bool take_flag(std::string_view argument, std::string_view name, std::string_view& rest,
               std::string_view& value) {
  if (!argument.starts_with('-')) return false;
  argument.remove_prefix(argument.starts_with("--") ? 2 : 1);
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  if (argument.starts_with('='))
    value = argument.substr(1);
  else if (argument.empty())
    value = next_argument(rest);
  else
    return false;
  return true;
}

std::optional<std::uint16_t> port_in(std::string_view text) {
  const auto port = to_number<std::uint16_t>(text);
  return port && *port != 0 ? port : std::nullopt;
}

std::optional<PublishedPort> read_port(Source& source, std::int32_t pid) {
  const auto directory = pid_directory(pid);
  const auto comm = source.read(directory + "/comm");
  if (!comm || trimmed(*comm, "\n") != kProxy) return std::nullopt;
  const auto status = source.read(directory + "/status");
  if (!status || parse_pid_user(*status) != 0U) return std::nullopt;
  const auto cmdline = source.read(directory + "/cmdline");
  return cmdline ? parse_docker_proxy(*cmdline) : std::nullopt;
}

}  // namespace

std::optional<PublishedPort> parse_docker_proxy(std::string_view cmdline) {
  if (cmdline.size() > kMostBytes) return std::nullopt;
  const auto program = next_argument(cmdline);
  if (program.substr(program.rfind('/') + 1) != kProxy) return std::nullopt;
  std::string_view protocol = "tcp", host_ip, host_port, container_ip, container_port;
  while (!cmdline.empty()) {
    const auto argument = next_argument(cmdline);
    take_flag(argument, "proto", cmdline, protocol) || take_flag(argument, "host-ip", cmdline, host_ip) ||
        take_flag(argument, "host-port", cmdline, host_port) ||
        take_flag(argument, "container-ip", cmdline, container_ip) ||
        take_flag(argument, "container-port", cmdline, container_port);
  }
  const auto host = parse_ip_address(host_ip), container = parse_ip_address(container_ip);
  const auto from = port_in(host_port), to = port_in(container_port);
  if (protocol != "tcp" || !host || !container || !from || !to) return std::nullopt;
  return PublishedPort{*host, *from, *container, *to};
}

/// Keeps those that are still listed there; a process that has joined since is a new one.
void PublishedPorts::merge(std::span<const NetnsMember> members, std::uint64_t own) {
  std::vector<Candidate> merged;
  merged.reserve(members.size());
  auto known = candidates_.begin();
  for (const auto& member : members) {
    if (member.inode != own) continue;
    while (known != candidates_.end() && known->pid < member.pid) ++known;
    const bool is_known = !member.joined && known != candidates_.end() && known->pid == member.pid;
    merged.push_back(is_known ? *known : Candidate{.pid = member.pid, .port = {}});
  }
  candidates_ = std::move(merged);
}

void PublishedPorts::look(Source& source, std::span<const NetnsMember> members, std::uint64_t own) {
  constexpr int kAsks = 2;
  merge(members, own);
  std::size_t first = 0;
  for (auto& candidate : candidates_) {
    if (candidate.asked == kAsks || first == kAskedFirst) continue;
    candidate.port = read_port(source, candidate.pid);
    ++candidate.asked;
    ++first;
  }
  const auto begin = std::ranges::upper_bound(candidates_, asked_until_, {}, &Candidate::pid);
  const auto before = static_cast<std::size_t>(begin - candidates_.begin());
  for (std::size_t i = 0; i < std::min(candidates_.size(), kAskedAgain); ++i) {
    auto& candidate = candidates_[(before + i) % candidates_.size()];
    asked_until_ = candidate.pid;
    if (candidate.asked == kAsks) candidate.port = read_port(source, candidate.pid);
  }
}

void PublishedPorts::put_into(NetnsList& list) const {
  auto& published = list.published;
  for (const auto& candidate : candidates_)
    if (candidate.port) published.push_back(*candidate.port);
  std::ranges::sort(published);
  published.erase(std::ranges::unique(published).begin(), published.end());
  if (published.size() <= NetnsList::kMostPublished) return;
  list.published_cut = published.size() - NetnsList::kMostPublished;
  published.resize(NetnsList::kMostPublished);
}

}  // namespace tcpdiag
