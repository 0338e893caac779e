// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "collectors/collector.h"
#include "collectors/inet_diag.h"
#include "collectors/stillness.h"
#include "core/facts/listeners.h"

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
  /// So many looks more would have found its queue empty.
  void rested(std::uint64_t looks) { fill_.samples.front() += looks; }
  /// What these sockets have dropped so far is no news: they were there before, but not kept.
  void know_drops_of(const std::vector<ListenerSocket>& sockets);
  /// Whether connections waited within the last 60 s before the latest look.
  [[nodiscard]] bool was_waited_on() const;

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
  std::map<std::uint64_t, Member> members_;  // by cookie
  std::uint64_t look_ = 0;
  Count drops_;
  std::array<std::uint32_t, 60> peaks_{};  // of each of the last seconds, by the second's remainder
  std::int64_t second_ = 0;                // of the latest look
  FillHistogram fill_;
  std::vector<Length> lengths_;  // of the members at the look before, by cookie
  RunFollower full_, standing_, still_;
  std::uint32_t limit_ = 0;
  Count somaxconn_;
};

/// A listening socket in a dump.
struct SeenListener {
  Endpoint endpoint;
  std::optional<bool> v6_only;
  ListenerSocket socket;
};

/// The listening sockets of one dump, within a bound.
class SeenListeners {
 public:
  /// Sockets remembered at most: of further ones only those with connections in their queue, in the place of
  /// one without.
  static constexpr std::size_t kMost = 65536;

  void add(const SeenListener& seen);
  void clear();
  /// All that are remembered, by endpoint.
  const std::vector<SeenListener>& in_groups();
  /// Those that were not remembered.
  [[nodiscard]] std::uint64_t cut() const { return cut_; }
  [[nodiscard]] std::uint64_t waited_on_cut() const { return waited_on_cut_; }

 private:
  std::vector<SeenListener> seen_;  // keeps its memory from look to look
  std::size_t replaced_ = 0;        // before it there is none without connections
  std::uint64_t cut_ = 0, waited_on_cut_ = 0;
};

/// Reads the listening sockets of a namespace and remembers what happened between the looks. A listener that
/// two looks in a row do not show is forgotten.
///
/// Where there are more than are kept, those come first that a rule could say something about: connections
/// wait or have waited within the last 60 s, then those that have dropped something; of equal ones those that
/// are kept already, and of each user as many as of any other.
class ListenersReader {
 public:
  /// Listening sockets kept at most; the rest are counted in Listeners::cut.
  static constexpr std::size_t kMaxSockets = 4096;
  /// The same in a namespace that was found: users can make many of them.
  static constexpr std::size_t kMaxSocketsFound = 512;

  Result<Listeners> operator()(const Reading& reading);
  /// No connection waits or has waited for a minute, and nothing has moved since the latest dump.
  std::optional<TimePoint> still_holds(const Reading& reading);

  /// For so long at most: a limit that listen() changes moves no counter.
  static constexpr std::chrono::seconds kLongestRest{60};

 private:
  struct Group;
  void forget_another_netns(std::uint64_t generation, const Result<void>& dumped);
  std::vector<Group> groups_of(std::span<const SeenListener> seen) const;
  std::vector<Group> choose(std::vector<Group> groups, std::size_t most, Listeners& listeners) const;
  Listener advance(const Group& group, const Reading& reading, Count somaxconn,
                   std::map<Endpoint, ListenerHistory>& still_there);

  std::map<Endpoint, ListenerHistory> histories_;  // of the listeners that the latest look showed
  std::map<Endpoint, ListenerHistory> missed_;     // of those that only the look before it showed
  std::uint64_t generation_ = 0;
  SeenListeners seen_;
  bool all_kept_ = true;              // at the latest look
  Stillness stillness_;               // since the latest dump
  std::optional<TimePoint> calm_at_;  // the latest dump, if no connection waited then or in the minute before
  std::uint64_t rested_ = 0;          // looks since then that needed no dump
};

}  // namespace tcpdiag
