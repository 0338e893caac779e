// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/snapshot.h"

namespace tcpdiag {

/// The address of a connection's other end, without the port; empty: not known.
std::string peer_of(int fd);

/// The connections of one listening socket, and since when each has been doing what it does: sending a
/// request, or taking an answer. The server's own timeout is for silent clients; here those are found that
/// send or take a byte now and then. Safe to use from several threads.
class OpenConnections {
 public:
  static constexpr std::chrono::seconds kPatience{10};
  /// For a client that is not taking an answer while the server is full: others wait to get in.
  static constexpr std::chrono::seconds kPatienceWhenFull{1};

  /// `limit`: with so many connections the server is full.
  explicit OpenConnections(std::size_t limit) : limit_(limit) {}

  void opened(int fd);
  /// Its request is complete.
  void requested(int fd);
  /// Its request waits for something else than the client: no time passes for it until requested() again.
  void held(int fd);
  /// Its answer is sent; the next request may come.
  void answered(int fd);
  /// To be called before the descriptor is closed.
  void closed(int fd);

  [[nodiscard]] std::size_t size() const;
  /// Those that take an answer, or have not had one yet.
  [[nodiscard]] std::size_t unanswered() const;

  struct Dropped {
    std::size_t count = 0;
    std::string peer;  ///< address of one of them; empty: not known
  };
  /// Shuts down those that have been at it for too long, whereupon the server closes them. To be called once
  /// a second: time counts from the first call that found a connection doing what it does.
  Dropped drop_slow(TimePoint now);

 private:
  enum class Doing { asking, held, answering };
  struct Connection {
    Doing doing = Doing::asking;
    bool had_answer = false;
    bool dropped = false;

    std::optional<TimePoint> since;  ///< empty: not looked at yet
  };
  void begin(int fd, Doing doing);

  const std::size_t limit_;
  mutable std::mutex mutex_;  ///< guards the map, and its descriptors against being closed meanwhile
  std::map<int, Connection> connections_;
};

}  // namespace tcpdiag
