// SPDX-License-Identifier: Apache-2.0
#include "exporters/open_connections.h"

#include <sys/socket.h>

#include <algorithm>

namespace tcpdiag {

OpenConnections::Arrival OpenConnections::arrives(int fd, std::string address) {
  constexpr std::size_t kShareForKnown = 8;
  const std::scoped_lock lock(mutex_);
  std::size_t open = 0, of_address = 0;
  for (const auto& [other, connection] : connections_) {
    if (connection.dropped) continue;
    ++open;
    of_address += connection.address == address ? 1 : 0;
  }
  if (of_address >= limit_per_address_) return Arrival::address_full;
  const bool known = known_.contains(address);
  const auto room = known ? limit_ : limit_ - limit_ / kShareForKnown;
  if (open >= room && !displace_one(known)) return Arrival::full;
  connections_[fd] = {.address = std::move(address), .number = ++arrivals_};
  return Arrival::taken;
}

bool OpenConnections::overdue(const Connection& connection) const {
  return connection.since && now_ - *connection.since >= kPatienceWhenFull;
}

/// The lowest goes first; empty: it stays.
std::optional<int> OpenConnections::rank_to_go(const Connection& connection, bool for_known) const {
  if (connection.dropped) return std::nullopt;
  const bool known = known_.contains(connection.address);
  switch (connection.doing) {
    case Doing::held: return std::nullopt;
    case Doing::answering:
      if (known || !overdue(connection)) return std::nullopt;
      return 3;
    case Doing::arriving:
    case Doing::asking: break;
  }
  if (!connection.had_answer && overdue(connection)) return 0;
  if (!known) return connection.had_answer ? 2 : 1;
  return for_known ? std::optional(4) : std::nullopt;
}

bool OpenConnections::displace_one(bool for_known) {
  auto first = connections_.end();
  std::pair<int, std::uint64_t> lowest;
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    const auto rank = rank_to_go(it->second, for_known);
    if (!rank) continue;
    const std::pair key(*rank, it->second.number);
    if (first != connections_.end() && lowest <= key) continue;
    first = it;
    lowest = key;
  }
  if (first == connections_.end()) return false;
  drop(first->first, first->second);
  return true;
}

void OpenConnections::drop(int fd, Connection& connection) {
  if (dropped_.peer.empty()) dropped_.peer = connection.address;
  ++dropped_.count;
  shutdown(fd, SHUT_RDWR);
  connection.dropped = true;
}

void OpenConnections::opened(int fd) { begin(fd, Doing::asking); }

void OpenConnections::begin(int fd, Doing doing) {
  const std::scoped_lock lock(mutex_);
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  found->second.had_answer |= found->second.doing == Doing::answering && doing == Doing::asking;
  found->second.doing = doing;
  found->second.since.reset();
}

void OpenConnections::requested(int fd) { begin(fd, Doing::answering); }

void OpenConnections::held(int fd) { begin(fd, Doing::held); }

void OpenConnections::answered(int fd, bool served) {
  begin(fd, Doing::asking);
  if (!served) return;
  const std::scoped_lock lock(mutex_);
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  const auto known = known_.find(found->second.address);
  if (known != known_.end())
    known->second = now_;
  else if (known_.size() < kMostKnown)  // who came later cannot push out who was there
    known_.emplace(found->second.address, now_);
}

void OpenConnections::closed(int fd) {
  const std::scoped_lock lock(mutex_);
  connections_.erase(fd);
}

std::size_t OpenConnections::size() const {
  const std::scoped_lock lock(mutex_);
  return connections_.size();
}

std::size_t OpenConnections::unanswered() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(connections_, [](const auto& each) {
    const auto& connection = each.second;
    return !connection.dropped && connection.doing != Doing::held &&
           (connection.doing == Doing::answering || !connection.had_answer);
  }));
}

std::string OpenConnections::address_of(int fd) const {
  const std::scoped_lock lock(mutex_);
  const auto found = connections_.find(fd);
  return found == connections_.end() ? std::string() : found->second.address;
}

OpenConnections::Dropped OpenConnections::drop_slow(TimePoint now) {
  const std::scoped_lock lock(mutex_);
  now_ = now;
  std::erase_if(known_, [&](const auto& known) { return now - known.second > kKnownFor; });
  // one that the server never took over: its descriptor may be another's by now
  std::erase_if(connections_, [&](const auto& each) {
    return each.second.doing == Doing::arriving && each.second.since && now - *each.second.since >= kPatience;
  });
  for (auto& [fd, connection] : connections_) {
    if (connection.dropped || connection.doing == Doing::held) continue;
    if (!connection.since) connection.since = now;
    if (connection.doing == Doing::arriving || now - *connection.since < kPatience) continue;
    // an idle one is what every scraper leaves
    if (connection.doing == Doing::answering || !connection.had_answer) known_.erase(connection.address);
    drop(fd, connection);
  }
  return std::exchange(dropped_, {});
}

}  // namespace tcpdiag
