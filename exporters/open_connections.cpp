// SPDX-License-Identifier: Apache-2.0
#include "exporters/open_connections.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "exporters/peer_end.h"

namespace tcpdiag {

OpenConnections::Arrival OpenConnections::arrives(int fd, std::string address) {
  const std::size_t reserve = limit_ / 8;
  const std::scoped_lock lock(mutex_);
  std::size_t open = 0, of_address = 0, strangers = 0;
  for (const auto& [other, connection] : connections_) {
    if (connection.dropped) continue;
    ++open;
    of_address += connection.address == address ? 1 : 0;
    strangers += connection.known_as == kStranger ? 1 : 0;
  }
  if (of_address >= limit_per_address_) return Arrival::address_full;
  const auto known = known_.find(address);
  const auto known_as = known == known_.end() ? kStranger : known->second.number;
  const bool is_stranger = known_as == kStranger;
  const auto room = is_stranger ? limit_ - reserve : limit_;
  const bool has_share = is_stranger && strangers < reserve;
  if (open >= room && !displace_one(known_as) && !(has_share && displace_idle_one())) return Arrival::full;
  connections_[fd] = {.address = std::move(address), .number = ++arrivals_, .known_as = known_as};
  return Arrival::taken;
}

bool OpenConnections::overdue(const Connection& connection) const {
  return connection.since && now_ - *connection.since >= kPatienceWhenFull;
}

std::optional<int> OpenConnections::rank_to_go(const Connection& connection,
                                               std::uint64_t for_known_as) const {
  if (connection.dropped || connection.doing == Doing::held) return std::nullopt;
  const bool asks = connection.doing != Doing::answering;
  if (asks && !connection.had_answer && overdue(connection)) return 0;
  if (connection.known_as == kStranger) {
    if (asks) return connection.had_answer ? 2 : 1;
    if (overdue(connection)) return 3;
  }
  if (for_known_as == kStranger) return std::nullopt;
  if (asks) return 4;
  // Strangers who got one answer are known, too, and may be slow with the next.
  if (overdue(connection)) return 5;
  return connection.known_as > for_known_as ? std::optional(6) : std::nullopt;
}

template <class KeyOf>
bool OpenConnections::drop_lowest(KeyOf key_of) {
  auto first = connections_.end();
  decltype(key_of(first->second)) lowest;
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    const auto key = key_of(it->second);
    if (!key || (first != connections_.end() && *lowest <= *key)) continue;
    first = it;
    lowest = key;
  }
  if (first == connections_.end()) return false;
  drop(first->first, first->second);
  return true;
}

bool OpenConnections::displace_one(std::uint64_t for_known_as) {
  return drop_lowest([&](const Connection& connection) {
    const auto rank = rank_to_go(connection, for_known_as);
    return rank ? std::optional(std::pair(*rank, connection.number)) : std::nullopt;
  });
}

bool OpenConnections::displace_idle_one() {
  std::map<std::string_view, std::int64_t> of_address;
  for (const auto& [fd, connection] : connections_)
    if (!connection.dropped) ++of_address[connection.address];
  return drop_lowest([&](const Connection& connection) {
    const bool is_idle = !connection.dropped && connection.doing == Doing::asking && connection.had_answer;
    return is_idle ? std::optional(std::pair(-of_address[connection.address], connection.number))
                   : std::nullopt;
  });
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
  auto& connection = found->second;
  auto known = known_.find(connection.address);
  if (known == known_.end()) {
    if (known_.size() >= kMostKnown) return;  // who came later cannot push out who was there
    known = known_.emplace(connection.address, Known{.number = acquaintances_++}).first;
  }
  known->second.answered = now_;
  connection.known_as = known->second.number;
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
  std::erase_if(known_, [&](const auto& known) { return now - known.second.answered > kKnownFor; });
  for (auto& [fd, connection] : connections_) {
    if (connection.dropped || connection.doing == Doing::held) continue;
    // libmicrohttpd may overlook an end that comes together with the beginning of a request.
    if (connection.doing == Doing::asking && connection.since && has_ended(fd)) {
      shutdown(fd, SHUT_RDWR);
      connection.dropped = true;
      continue;
    }
    if (!connection.since) connection.since = now;
    if (connection.doing == Doing::arriving || now - *connection.since < kPatience) continue;
    // an idle one is what every scraper leaves
    if (connection.doing == Doing::answering || !connection.had_answer) known_.erase(connection.address);
    drop(fd, connection);
  }
  return std::exchange(dropped_, {});
}

}  // namespace tcpdiag
