// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/time_point.h"

namespace tcpdiag {

/// The connections of one listening socket, since when each has been doing what it does (sending a request,
/// or taking an answer), and which of them has to go when there are too many. The server's own timeout is for
/// silent clients; here those are found that send or take a byte now and then. Safe to use from several
/// threads.
class OpenConnections {
 public:
  static constexpr std::chrono::seconds kPatience{10};
  /// Who has no whole request by then, or has not taken its answer, is the first to go when others want in.
  static constexpr std::chrono::seconds kPatienceWhenFull{5};
  /// An address that was answered is known for so long.
  static constexpr std::chrono::hours kKnownFor{1};
  static constexpr std::size_t kMostKnown = 1024;

  /// `limit`: with so many connections the server is full. An eighth of it is kept for known addresses, and
  /// of what those leave idle as much for strangers.
  explicit OpenConnections(std::size_t limit, std::size_t limit_per_address = SIZE_MAX)
      : limit_(limit), limit_per_address_(limit_per_address) {}

  /// Whether another one may arrive. Those that are shut down and not closed yet have their descriptors
  /// still.
  [[nodiscard]] bool has_room() const { return size() < most_descriptors(limit_); }
  static constexpr std::size_t most_descriptors(std::size_t limit) { return limit + limit / 4 + 8; }

  enum class Arrival {
    taken,
    address_full,  ///< its address has limit_per_address
    full,          ///< the server is full of connections that have the better right
  };
  /// A connection is there; `address` is its peer's. Where it is taken, another one may have been shut down
  /// for it: the oldest without a whole request, those of known addresses last and only for known ones; where
  /// all are busy, one that has been at its answer for long, or is of an address that has been known for less
  /// long. Where it is not taken it is the caller's to close.
  Arrival arrives(int fd, std::string address);
  /// It is in the server's hands, which will say when it is closed.
  void opened(int fd);
  /// Its request is complete.
  void requested(int fd);
  /// Its request waits for something else than the client: no time passes for it until requested() again.
  void held(int fd);
  /// Its answer is sent; the next request may come. `served`: it was what it had asked for, whereby its
  /// address becomes known.
  void answered(int fd, bool served);
  /// To be called before the descriptor is closed.
  void closed(int fd);

  [[nodiscard]] std::size_t size() const;
  /// Those that take an answer, or have not had one yet.
  [[nodiscard]] std::size_t unanswered() const;
  /// The peer's address; empty: no such connection.
  [[nodiscard]] std::string address_of(int fd) const;

  struct Dropped {
    std::size_t count = 0;
    std::string peer;  ///< address of one of them; empty: not known
  };
  /// Shuts down those that have been at it for too long and those whose client has gone without a whole
  /// request, whereupon the server closes them. Tells of the slow ones, and of those that had to go for
  /// others since the last call. To be called once a second: time counts from the first call that found a
  /// connection doing what it does.
  Dropped drop_slow(TimePoint now);

 private:
  enum class Doing { arriving, asking, held, answering };
  struct Connection {
    std::string address;
    std::uint64_t number = 0;  ///< of its arrival
    Doing doing = Doing::arriving;
    std::uint64_t known_as = kStranger;  ///< see Known::number
    bool had_answer = false;
    bool dropped = false;

    std::optional<TimePoint> since;  ///< empty: not looked at yet
  };
  /// An address that was answered.
  struct Known {
    std::uint64_t number = 0;  ///< the lower, the longer it has been known
    TimePoint answered;        ///< last
  };
  static constexpr std::uint64_t kStranger = UINT64_MAX;

  void begin(int fd, Doing doing);
  [[nodiscard]] bool overdue(const Connection& connection) const;
  /// What makes room for one that is known as this: the lowest goes first; empty: it stays.
  [[nodiscard]] std::optional<int> rank_to_go(const Connection& connection, std::uint64_t for_known_as) const;
  /// Shuts down the one with the lowest key, of those that have one; false: none has.
  template <class KeyOf>
  bool drop_lowest(KeyOf key_of);
  bool displace_one(std::uint64_t for_known_as);
  /// The oldest idle one of the address that has most connections.
  bool displace_idle_one();
  void drop(int fd, Connection& connection);

  const std::size_t limit_, limit_per_address_;
  mutable std::mutex mutex_;  ///< guards what follows, and the descriptors against being closed meanwhile
  std::map<int, Connection> connections_;
  std::map<std::string, Known, std::less<>> known_;
  std::uint64_t arrivals_ = 0, acquaintances_ = 0;
  TimePoint now_;  ///< of the last drop_slow()
  Dropped dropped_;
};

}  // namespace tcpdiag
