// SPDX-License-Identifier: Apache-2.0
#include "exporters/open_connections.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace tcpdiag {

std::string peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  std::array<char, NI_MAXHOST> text{};
  if (getpeername(fd, generic, &length) != 0 ||
      getnameinfo(generic, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return {};
  return text.data();
}

void OpenConnections::opened(int fd) {
  const std::scoped_lock lock(mutex_);
  connections_[fd] = {};
}

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

void OpenConnections::answered(int fd) { begin(fd, Doing::asking); }

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

OpenConnections::Dropped OpenConnections::drop_slow(TimePoint now) {
  const std::scoped_lock lock(mutex_);
  const bool full = connections_.size() >= limit_;
  Dropped dropped;
  for (auto& [fd, connection] : connections_) {
    if (connection.dropped || connection.doing == Doing::held) continue;
    if (!connection.since) connection.since = now;
    const auto patience = full && connection.doing == Doing::asking ? kPatienceWhenFull : kPatience;
    if (now - *connection.since < patience) continue;
    if (dropped.peer.empty()) dropped.peer = peer_of(fd);
    shutdown(fd, SHUT_RDWR);
    connection.dropped = true;
    ++dropped.count;
  }
  return dropped;
}

}  // namespace tcpdiag
