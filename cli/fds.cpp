// SPDX-License-Identifier: Apache-2.0
#include "cli/fds.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "cli/owner_names.h"
#include "cli/table.h"
#include "collectors/cgroup.h"
#include "collectors/inet_diag.h"
#include "collectors/proc_pid.h"
#include "core/utf8.h"
#include "diagnosis/unseen_processes.h"
#include "exporters/json_text.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxLinks = std::size_t{1} << 18;

/// Descriptors in use: the kernel's own count where it gives one (Linux 6.2), otherwise as many as were
/// listed.
Count open_fds(Source& source, const std::string& directory, const Result<std::vector<std::string>>& names) {
  const auto own = source.size("/proc/self/fd");
  const auto size = source.size(directory + "/fd");
  if (own && *own > 0 && size) return *size;
  return names ? Count(names->size()) : std::nullopt;
}

/// The error, and what it takes where it is a matter of privilege.
tl::unexpected<Error> explained(Error error) {
  if (error.code == Errc::denied) error.detail += "; " + std::string(kToSeeDescriptors);
  return tl::unexpected<Error>(std::move(error));
}

/// Empty: the kernel does not say, or it is closed meanwhile.
std::optional<bool> is_tcp(Source& source, const std::string& path) {
  const auto protocol = source.socket_protocol(path);
  if (!protocol) return std::nullopt;
  return *protocol == "TCP" || *protocol == "TCPv6";
}

void count_kinds(Source& source, const std::string& directory, const std::vector<std::string>& names,
                 ProcessFds& fds) {
  for (std::size_t i = 0; i < std::min(names.size(), kMaxLinks); ++i) {
    const auto link = source.link(directory + "/fd/" + names[i]);
    if (link) {
      ++fds.kinds[fd_kind(*link)];
      if (const auto inode = parse_socket_link(*link))
        fds.sockets.push_back({*inode, is_tcp(source, directory + "/fd/" + names[i])});
    } else if (link.error().code != Errc::missing) {  // missing: closed meanwhile
      fds.listed = explained(link.error());
      return;  // what forbids one forbids all
    }
  }
  if (names.size() > kMaxLinks)
    fds.listed = unexpected(Errc::too_large, directory + "/fd: more than " + std::to_string(kMaxLinks) +
                                                 " descriptors: only these were looked at");
}

/// An empty line and a table, the largest count first; nothing when there is nothing.
std::string count_table(const char* title, const std::map<std::string, std::uint64_t>& counts,
                        const TextStyle& style) {
  std::vector<std::pair<std::string, std::uint64_t>> rows(counts.begin(), counts.end());
  std::ranges::stable_sort(rows, std::greater<>(), &std::pair<std::string, std::uint64_t>::second);
  Table table({{title, Align::left, 16}, {"DESCRIPTORS", Align::right}});
  for (const auto& [name, count] : rows) table.add({{name}, {std::to_string(count)}});
  return table.empty() ? "" : "\n" + table.to_text(style);
}

}  // namespace

NetnsOfProcess netns_of_processes(const Report& report, Source& source) {
  const auto* processes = report.snapshot.processes.get();
  const auto* list = report.snapshot.netns_list.get();
  if (processes == nullptr || list == nullptr) return {};
  std::map<std::string, std::string> names;  // by what the link says
  for (const auto& found : list->namespaces) names["net:[" + std::to_string(found.inode) + "]"] = found.name;
  NetnsOfProcess netns;
  for (const auto& process : processes->processes) {
    const auto link = source.link(pid_directory(process.pid) + "/ns/net");
    if (const auto found = link ? names.find(*link) : names.end(); found != names.end())
      netns[process.pid] = found->second;
  }
  return netns;
}

void narrow_processes(Report& report, const NetnsChoice& choice, const NetnsOfProcess& netns) {
  const auto* processes = report.snapshot.processes.get();
  if (processes == nullptr || (choice.own && choice.found && choice.named.empty())) return;
  auto chosen = std::make_shared<Processes>(*processes);
  std::erase_if(chosen->processes, [&](const Process& process) {
    const auto its = netns.find(process.pid);
    const auto& name = its == netns.end() ? std::string("?") : its->second;
    return name == kHostNetns
               ? !choice.own
               : std::ranges::find(choice.named, name, &FoundNetns::name) == choice.named.end();
  });
  report.snapshot.processes.value = std::shared_ptr<const Processes>(std::move(chosen));
}

std::string fds_text(const Report& report, const NetnsOfProcess& netns, const TextStyle& style) {
  const auto* processes = report.snapshot.processes.get();
  if (processes == nullptr) return {};
  auto rows = processes->processes;
  std::ranges::stable_sort(rows, std::greater<>(), [](const Process& process) {
    return std::tuple(process.fd_ratio(), process.open_fds);
  });
  constexpr auto kRight = Align::right;
  const auto netns_of = [&](const Process& process) {
    const auto found = netns.find(process.pid);
    return found == netns.end() ? std::string("?") : found->second;
  };
  const bool elsewhere =  // the own one goes without saying
      std::ranges::any_of(netns, [](const auto& each) { return each.second != kHostNetns; });
  Table table({{"NETNS", Align::left, 8, elsewhere},
               {"PID", kRight},
               {"PROCESS", Align::left, 8},
               {"UNIT", Align::left, 8},
               {"OPEN", kRight},
               {"SOFT LIMIT", kRight},
               {"HARD LIMIT", kRight},
               {"USED", kRight}});
  for (const auto& process : rows)
    table.add({{netns_of(process)},
               {std::to_string(process.pid)},
               {process.comm},
               {unit_of(process)},
               {shown(process.open_fds)},
               {shown(process.soft_limit)},
               {shown(process.hard_limit)},
               {shown_share(process.fd_ratio()), tone_of_share(process.fd_ratio())}});
  const auto total = std::to_string(processes->total);
  const auto unseen = unseen_processes(*processes);
  const auto rest = unseen ? "Cannot tell about others: " + unseen->detail + ".\n" : "";
  if (table.empty())
    return "None of " + total + " processes listens or uses a tenth or more of its limit of open files.\n" +
           rest;
  return table.to_text(style) + "\nOf " + total +
         " processes: those that use a tenth or more of their limit, and those that listen.\n" + rest;
}

std::string fd_kind(std::string_view link) {
  constexpr std::string_view kAnonymous = "anon_inode:";
  if (link.starts_with("socket:")) return "socket";
  if (link.starts_with("pipe:")) return "pipe";
  if (link.starts_with("/memfd:")) return "memfd";
  if (link.ends_with(" (deleted)")) return "deleted file";
  if (link.starts_with("/dev/")) return "device";
  if (link.starts_with('/')) return "file";
  if (link.starts_with(kAnonymous)) {
    auto name = link.substr(kAnonymous.size());
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return std::string(name.empty() ? "other" : name);
  }
  for (const auto* type : {"net:[", "mnt:[", "pid:[", "user:[", "uts:[", "ipc:[", "cgroup:[", "time:["})
    if (link.starts_with(type)) return "namespace";
  return "other";
}

Result<ProcessFds> read_process_fds(Source& source, std::int32_t pid) {
  const auto directory = "/proc/" + std::to_string(pid);
  const auto stat =
      source.read(directory + "/stat").and_then([](const std::string& text) { return parse_pid_stat(text); });
  if (!stat && stat.error().code == Errc::missing)
    return unexpected(Errc::missing, "no process has pid " + std::to_string(pid));
  if (!stat) return tl::unexpected<Error>(stat.error());
  ProcessFds fds{.process = {.pid = pid, .start_ticks = stat->start_ticks, .comm = stat->comm}};
  const auto limits = source.read(directory + "/limits").and_then([](const std::string& text) {
    return parse_fd_limits(text);
  });
  if (limits) std::tie(fds.process.soft_limit, fds.process.hard_limit) = std::tie(limits->soft, limits->hard);
  if (auto owner = read_cgroup_owner(source, directory)) fds.process.owner = std::move(*owner);

  const auto names = source.list(directory + "/fd");
  fds.process.open_fds = open_fds(source, directory, names);
  if (names)
    count_kinds(source, directory, *names, fds);
  else
    fds.listed = explained(names.error());
  return fds;
}

void add_tcp_states(ProcessFds& fds, Source& sockets) {
  std::map<std::uint32_t, std::optional<TcpState>> states;
  for (const auto& socket : fds.sockets) states.emplace(socket.inode, std::nullopt);
  if (states.empty()) return;
  constexpr std::uint32_t kAllStates = (1U << kTcpStates) - 2;  // there is no state 0
  fds.tcp_known = sockets.dump_sockets({.states = kAllStates}, [&](std::span<const std::byte> payload) {
    const auto socket = parse_inet_diag(payload);
    if (!socket || socket->inode == 0) return;
    if (const auto own = states.find(socket->inode); own != states.end()) own->second = socket->state;
  });
  for (const auto& socket : fds.sockets) {
    const auto& state = states[socket.inode];
    if (state)
      ++fds.tcp_states[std::string(to_string(*state))];
    else if (fds.tcp_known && socket.is_tcp == true)
      ++fds.tcp_states["closed"];
  }
}

std::string to_text(const ProcessFds& fds, const TextStyle& style) {
  const auto& process = fds.process;
  const auto ratio = process.fd_ratio();
  auto text = toned(one_line(name_of(process)), Tone::heading, style) +
              (process.owner.kind == OwnerKind::none ? "" : " of " + one_line(to_string(process.owner))) +
              ": " + shown(process.open_fds) + " descriptors open, soft limit " + shown(process.soft_limit);
  if (ratio) text += " (" + toned(shown_share(ratio) + " used", tone_of_share(ratio), style) + ")";
  text += ", hard limit " + shown(process.hard_limit) + "\n";

  text += count_table("KIND", fds.kinds, style);
  text += count_table("TCP STATE", fds.tcp_states, style);
  return text;
}

std::string to_json_text(const ProcessFds& fds) {
  const auto& process = fds.process;
  Json object = {{"pid", process.pid},
                 {"process", process.comm},
                 {"unit", to_string(process.owner)},
                 {"unit_kind", to_string(process.owner.kind)}};
  for (const auto& [key, value] :
       {std::pair("open_fds", process.open_fds), std::pair("soft_limit", process.soft_limit),
        std::pair("hard_limit", process.hard_limit)})
    if (value) object[key] = *value;
  if (fds.listed || !fds.kinds.empty()) object["kinds"] = fds.kinds;
  if (fds.tcp_known || !fds.tcp_states.empty()) object["tcp_states"] = fds.tcp_states;
  if (!fds.tcp_known)
    object["tcp_error"] = {{"code", to_string(fds.tcp_known.error().code)},
                           {"detail", fds.tcp_known.error().detail}};
  if (!fds.listed)
    object["error"] = {{"code", to_string(fds.listed.error().code)}, {"detail", fds.listed.error().detail}};
  return json_text(std::move(object), 2) + "\n";
}

}  // namespace tcpdiag
