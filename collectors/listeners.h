// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>

#include "collectors/collector.h"
#include "collectors/inet_diag.h"

namespace tcpdiag {

/// Follows something that a look at a queue finds or does not find.
class RunFollower {
 public:
  /// One look more; the latest run of at least QueueRun::kLeast.
  std::optional<QueueRun> advance(bool found, TimePoint now);
  /// What is found from now on is another run.
  void interrupt() { since_.reset(); }

 private:
  std::optional<TimePoint> since_;
  std::optional<QueueRun> latest_;
};

/// What outlives one look at a listener: its drops, its longest queue and how full it was.
class ListenerHistory {
 public:
  /// Folds one look at all members into the history and returns the listener with it. `sockets` is not empty.
  /// `somaxconn` is net.core.somaxconn at present, if it is known.
  Listener advance(const Endpoint& endpoint, std::optional<bool> v6_only, std::vector<ListenerSocket> sockets,
                   TimePoint now, Count somaxconn = {});

 private:
  void count_drops(const std::vector<ListenerSocket>& sockets);
  void follow_runs(Listener& listener, TimePoint now);
  std::uint32_t peak(std::uint32_t longest, TimePoint now);
  Count somaxconn_when_seen(std::uint32_t limit, Count somaxconn);

  struct Member {
    std::uint32_t drops = 0;
    std::uint64_t look = 0;  // the latest that showed it
  };
  struct Length {
    std::uint64_t cookie = 0;
    std::uint32_t length = 0;
  };
  struct SecondPeak {
    std::int64_t second = -1;
    std::uint32_t length = 0;
  };
  std::map<std::uint64_t, Member> members_;  // by cookie
  std::uint64_t look_ = 0;
  Count drops_;
  std::array<SecondPeak, 60> peaks_{};
  FillHistogram fill_;
  std::vector<Length> lengths_;  // of the members at the look before, by cookie
  RunFollower full_, standing_, still_;
  std::uint32_t limit_ = 0;
  Count somaxconn_;
};

/// Reads the listening sockets of a namespace and remembers what happened between the looks. A listener that
/// two looks in a row do not show is forgotten.
class ListenersReader {
 public:
  /// Listening sockets kept at most; the rest are counted in Listeners::cut.
  static constexpr std::size_t kMaxSockets = 16384;

  Result<Listeners> operator()(const Reading& reading);

 private:
  void forget_another_netns(std::uint64_t generation, const Result<void>& dumped);

  std::map<Endpoint, ListenerHistory> histories_;  // of the listeners that the latest look showed
  std::map<Endpoint, ListenerHistory> missed_;     // of those that only the look before it showed
  std::uint64_t generation_ = 0;
};

}  // namespace tcpdiag
