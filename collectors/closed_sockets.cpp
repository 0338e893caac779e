// SPDX-License-Identifier: Apache-2.0
#include "collectors/closed_sockets.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <unordered_set>

#include "collectors/inet_diag.h"
#include "collectors/proc_pid.h"
#include "collectors/process_netns.h"
#include "core/facts/socket_usage.h"

namespace tcpdiag {
namespace {

std::string path_of(std::int32_t pid, std::uint32_t fd) {
  return pid_directory(pid) + "/fd/" + std::to_string(fd);
}

// The sockets of a table that the kernel counts in sockstat's alloc, listeners among them. It does not count
// what it keeps in a smaller form; an orphan in FIN_WAIT2 may be either.
std::uint64_t allocated_of(const Connections& connections) {
  std::uint64_t sockets = 0;
  const auto add = [&](const PortConnections& row) {
    for (std::size_t state = 0; state < kTcpStates; ++state) sockets += row.by_state[state];
    sockets -= row.count(TcpState::time_wait) + row.count(TcpState::syn_recv) + row.fin_wait2_orphaned;
  };
  for (const auto& row : connections.server) add(row);
  for (const auto& row : connections.client) add(row);
  add(connections.client_other);
  return sockets;
}

// TCP sockets of the machine that no table shows. Empty: not known.
Count missing_from_tables(const Snapshot& snapshot) {
  if (snapshot.namespaces.empty() || !snapshot.namespaces.front().connections.known()) return std::nullopt;
  const auto* usage = snapshot.namespaces.front().sockets.get();
  if (usage == nullptr || !usage->allocated) return std::nullopt;
  std::uint64_t shown = 0;
  for (const auto& netns : snapshot.namespaces)
    if (const auto* connections = netns.connections.get()) shown += allocated_of(*connections);
  return *usage->allocated > shown ? *usage->allocated - shown : 0;
}

}  // namespace

// A process that cannot have many is not followed.
void ClosedSockets::keep_only(const std::vector<Process>& processes) {
  std::map<std::int32_t, Known> present;
  for (const auto& process : processes) {
    if (process.open_fds && *process.open_fds < kWorthALook) continue;
    auto node = known_.extract(process.pid);
    if (node && node.mapped().start_ticks == process.start_ticks)
      present.insert(present.end(), std::move(node));
    else
      present.emplace_hint(present.end(), process.pid, Known{.start_ticks = process.start_ticks});
  }
  known_ = std::move(present);
}

// Those with something to confirm, then the others, beginning behind the one that was reached last.
std::vector<std::int32_t> ClosedSockets::in_turn() const {
  const auto keys = std::views::keys(known_);
  std::vector<std::int32_t> pids(keys.begin(), keys.end());
  const auto others =
      std::ranges::stable_partition(pids, [&](std::int32_t pid) { return known_.at(pid).unconfirmed; });
  std::ranges::rotate(others, std::ranges::upper_bound(others, cursor_));
  return pids;
}

// Counts the links that were read for it.
Result<std::vector<ClosedSockets::Descriptor>> ClosedSockets::sockets_of(Source& source, std::int32_t pid,
                                                                         std::size_t& links) {
  if (auto own = check_own_netns(source, pid); !own) return tl::unexpected<Error>(own.error());
  auto numbers = read_fds(source, pid);
  if (!numbers) return tl::unexpected<Error>(numbers.error());
  numbers->resize(std::min(numbers->size(), kLinksPerProcess));  // the lowest
  std::vector<Descriptor> sockets;
  for (const auto number : *numbers) {
    ++links;
    const auto link = source.link(path_of(pid, number));
    if (!link && link.error().code == Errc::missing) continue;  // closed meanwhile
    if (!link) return tl::unexpected<Error>(link.error());
    if (const auto inode = parse_socket_link(*link)) sockets.push_back({number, *inode});
  }
  return sockets;
}

std::vector<ClosedSockets::Look> ClosedSockets::look_at_due(const Reading& reading) {
  std::vector<Look> looks;
  std::size_t links = 0;
  for (const auto pid : in_turn()) {
    if (links >= kLinksPerRun) break;
    auto& known = known_.at(pid);
    const auto rest = known.unconfirmed ? kApart : std::chrono::milliseconds(kInterval);
    if (known.looked_at && reading.now - *known.looked_at < rest) continue;
    if (!known.unconfirmed) cursor_ = pid;
    if (auto sockets = sockets_of(reading.source, pid, links))
      looks.push_back({&known, pid, std::move(*sockets)});
    else  // and its count is not known
      known = {.start_ticks = known.start_ticks,
               .looked_at = reading.now,
               .denied = sockets.error().code == Errc::denied};
  }
  return looks;
}

// Leaves the sockets that the table does not show.
Result<void> ClosedSockets::remove_shown(Source& source, std::vector<Look>& looks) {
  std::unordered_set<std::uint32_t> missing;
  for (const auto& look : looks)
    for (const auto& socket : look.sockets) missing.insert(socket.inode);
  // No process holds a socket that is in one of the states that are left out.
  constexpr auto kStates =
      ((1U << kTcpStates) - 2) & ~state_bit(TcpState::time_wait) & ~state_bit(TcpState::syn_recv);
  Result<void> parsed;
  const auto dumped = source.dump_sockets({.states = kStates}, [&](auto payload) {
    if (const auto socket = parse_inet_diag(payload))
      missing.erase(socket->inode);
    else
      parsed = tl::unexpected<Error>(socket.error());
  });
  for (auto& look : looks)
    std::erase_if(look.sockets, [&](const Descriptor& socket) { return !missing.contains(socket.inode); });
  return dumped ? parsed : dumped;
}

void ClosedSockets::conclude(const Reading& reading, const Look& look) {
  auto& known = *look.known;
  std::vector<std::uint32_t> missing;
  bool told = look.sockets.empty();  // the kernel tells protocols, as far as that was asked
  for (const auto& socket : look.sockets) {
    const bool again = std::binary_search(known.missing.begin(), known.missing.end(), socket.inode);
    const auto protocol =
        again ? Result<std::string>("TCP") : reading.source.socket_protocol(path_of(look.pid, socket.number));
    told = told || protocol;
    if (protocol == "TCP" || protocol == "TCPv6") missing.push_back(socket.inode);
  }
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  std::vector<std::uint32_t> confirmed;
  std::set_intersection(missing.begin(), missing.end(), known.missing.begin(), known.missing.end(),
                        std::back_inserter(confirmed));
  known.unconfirmed = confirmed.size() < missing.size();
  const bool first = !known.count && known.unconfirmed;  // nothing can be said before the second look
  known.count = told && !first ? Count(confirmed.size()) : std::nullopt;
  known.missing = std::move(missing);
  known.denied = false;
  known.looked_at = reading.now;
}

void ClosedSockets::look(const Reading& reading, Processes& result) {
  auto& processes = result.processes;
  const auto missing = missing_from_tables(reading.previous);
  result.closed_sockets_at_most = missing;
  if (!missing || *missing < kWorthALook) {
    known_.clear();
    for (auto& process : processes) process.closed_sockets = missing ? Count(0) : std::nullopt;
    return;
  }
  keep_only(processes);
  auto looks = look_at_due(reading);
  const bool any =
      std::any_of(looks.begin(), looks.end(), [](const Look& look) { return !look.sockets.empty(); });
  const auto outcome = any ? remove_shown(reading.source, looks) : Result<void>();
  for (const auto& look : looks) {
    if (outcome)
      conclude(reading, look);
    else
      *look.known = {.start_ticks = look.known->start_ticks, .looked_at = reading.now};
  }
  for (auto& process : processes) {
    const auto known = known_.find(process.pid);
    process.closed_sockets = known == known_.end() ? Count(0) : known->second.count;
    result.closed_sockets_denied += known != known_.end() && known->second.denied ? 1U : 0U;
  }
}

}  // namespace tcpdiag
