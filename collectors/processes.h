// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>

#include "collectors/closed_sockets.h"
#include "collectors/collector.h"
#include "collectors/proc_pid.h"

namespace tcpdiag {

/// Reads the processes that hold a listening socket and those whose descriptors are nearest to their limit.
///
/// Where there are more than are kept, the fullest are shared out among the users and their units, and the
/// owners among the users and the sockets: of each socket those come first that are stopped or at their
/// limit, then those that started first. So no user's processes push out all of another's.
///
/// Descriptors are counted in every run by the size of /proc/PID/fd, which the kernel gives from 6.2 on; on
/// older ones by listing it, in every run for the fullest and otherwise with the rest. The rest of what is
/// known about a process is read when it appears and then every 30 to 60 s; for the fullest in every run.
/// Which sockets a process holds is looked up when it appears, for owners once a minute, and for all
/// processes when a listening socket appears, or has lost its last owner and kSweepInterval has passed. For
/// sockets in CLOSE_WAIT that two dumps have shown, first those are looked at that own a listener or such a
/// socket or are among the fullest, at most every kCloseWaitInterval; then all, at most every kSweepInterval.
/// A run looks at a bounded number of descriptors, of new processes and owners first; the next run goes on
/// behind the last one. While the listeners of a namespace are not known, those known last count.
class ProcessesReader {
 public:
  Result<Processes> operator()(const Reading& reading);

  static constexpr std::size_t kFullest = 50;
  /// Nobody asks for those that use less of their limit, and they come and go.
  static constexpr double kFullFrom = 0.1;
  static constexpr std::size_t kOwners = 1000;
  /// Of all processes together, of the sockets that they hold; of those that hold most, some are not seen
  /// where there are more.
  static constexpr std::size_t kSocketsHeld = 262144;
  /// Of one process, its lowest descriptors; the sockets behind further ones are not seen.
  static constexpr std::uint64_t kLinksPerProcess = 8192;
  /// Some 50 ms. New processes and owners get half of it and the others what is left, but at least one
  /// process each; with the last process of each, which is looked at whole, it may become up to 2.5 times as
  /// many.
  static constexpr std::uint64_t kLinksPerRun = 8192;
  static constexpr std::chrono::seconds kSweepInterval{30};
  /// After a sweep of all that took several runs; none is needed after one that a single run could do.
  static constexpr std::chrono::seconds kLongSweepRest{10};
  static constexpr std::chrono::seconds kRecheckInterval{60};
  static constexpr std::chrono::seconds kCloseWaitInterval{8};
  /// Owners whose wait channel is read in a run: of those alone that own a listener with connections
  /// waiting, the first as above.
  static constexpr std::size_t kWaitChannels = 128;

 private:
  struct Known {
    std::optional<TimePoint> read_at;  // when stat, limits and owner were read
    std::optional<PidStat> stat;       // these three: as known last; empty: never could be read
    std::optional<FdLimits> limits;
    Owner owner;
    std::optional<std::uint32_t> uid;  // the real one; empty: never could be read, or not asked for
    Count open_fds;
    bool count_failed = false;   // of the open descriptors, at the latest attempt, though they are there
    bool limits_failed = false;  // the same
    bool fullest = false;        // in the latest run
    bool sweep_due = true;
    std::optional<TimePoint> swept_at;       // when its sockets were looked up; empty: never
    std::vector<std::uint32_t> sockets;      // listening ones that it held at that time; ordered
    std::vector<std::uint32_t> close_waits;  // the same for those in CLOSE_WAIT, as far as they still are
    std::string wait_channel;                // in the latest run; empty: not known, or not asked for
    bool sockets_unsure = false;             // they could not be looked up, or not all
    bool gone = false;  // there were no descriptors to list: looked for again if it is back
  };
  using Inodes = std::set<std::uint32_t>;
  struct Wanted {
    Inodes listening, close_waits, all;
    std::map<std::uint32_t, std::uint32_t> users;  // of all, by inode
    Inodes waited_on;  // of the listening ones: those with connections in their queue
  };

  Wanted wanted_in(const Snapshot& snapshot);
  void keep_only(const std::vector<std::int32_t>& pids);
  void count_descriptors(const Reading& reading);
  static bool is_uncounted(const Known& process);
  static bool refresh(Source& source, std::int32_t pid, Known& process, TimePoint now);
  void refresh_due(const Reading& reading);
  static std::optional<double> fullness(const Known& process);
  static bool is_judged(const Known& process);
  void choose_fullest(Source& source);
  void refresh_named(const Reading& reading);
  void forget_close_waits(const Inodes& wanted);
  [[nodiscard]] Inodes owned() const;
  void plan_sweep(const Wanted& wanted, TimePoint now);
  void plan_close_waits(const Wanted& wanted, TimePoint now);
  [[nodiscard]] std::vector<std::int32_t> likely_owners() const;
  [[nodiscard]] std::vector<std::int32_t> all_in_turn() const;
  static std::uint64_t look_at(const Reading& reading, std::int32_t pid, Known& process,
                               const Wanted& wanted);
  void sweep(const Reading& reading, const Wanted& wanted);
  void bound_held_sockets();
  [[nodiscard]] std::vector<std::int32_t> owners_in_turn(const Wanted& wanted) const;
  void read_wait_channels(Source& source, const std::vector<std::int32_t>& owners, const Inodes& waited_on);
  [[nodiscard]] Processes published(const Wanted& wanted, const std::vector<std::int32_t>& owners) const;

  std::map<std::int32_t, Known> known_;
  using Users = std::map<std::uint32_t, std::uint32_t>;
  std::map<NetnsId, Users> listening_;  // of each network namespace, as known last: who made each socket
  ClosedSockets closed_;
  Inodes owned_;       // sockets with an owner in the latest run
  Inodes swept_for_;   // sockets that the latest sweep of all processes looks for
  Inodes looked_for_;  // sockets in CLOSE_WAIT that the likely owners have been looked at for
  std::optional<TimePoint> looked_at_;  // when that was last
  bool all_due_ = false;   // a listening socket lost its owner: a sweep of all waits for its interval
  bool sweeping_ = false;  // a sweep of all has begun and not reached all
  std::optional<TimePoint> all_began_at_, all_ended_at_;  // of the latest sweep of all
  std::int32_t cursor_ = -1;                              // the pid behind which the next run goes on
};

}  // namespace tcpdiag
