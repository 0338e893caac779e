// SPDX-License-Identifier: Apache-2.0
// How accept queues went within a window: what the listeners' ten looks a second tell.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/facts/listeners.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// What happened to a listener between two snapshots.
struct QueueStep {
  TimePoint from, to;
  std::uint64_t looks = 0;   ///< how often its queue was looked at
  std::uint64_t full = 0;    ///< of these, how often the fullest member's queue was full
  std::uint64_t empty = 0;   ///< and how often it was empty
  std::uint32_t length = 0;  ///< of the fullest queue at its end
  Count drops;               ///< segments dropped at it; empty: this kernel does not say
  Count overflows;           ///< ListenOverflows of the namespace; empty: not known
  Count other_drops;         ///< its ListenDrops that are no overflows; empty: not known

  [[nodiscard]] bool pinned() const { return looks > 0 && full == looks; }
  [[nodiscard]] bool stands() const { return looks > 0 && empty == 0; }
};

/// A listener that is there now, through the window. It came into being within it when its first step begins
/// later.
struct QueueCourse {
  const Listener* listener = nullptr;
  TimePoint looked_at;           ///< the latest look
  std::vector<QueueStep> steps;  ///< oldest first; empty: seen once since it began or got its present limit
  /// The runs of a second or longer that every look found it full, not empty, or that nothing was seen to be
  /// taken from it (Listener::full and its like); oldest first.
  std::vector<QueueRun> full_runs, standing_runs, still_runs;

  /// The run that goes on; empty: there is none.
  [[nodiscard]] std::optional<QueueRun> present(const std::vector<QueueRun>& runs) const;
  /// How long every look until now has found a queue full; 0: the latest did not, or for less than a second.
  [[nodiscard]] std::chrono::milliseconds pinned_for() const;
  /// How long nothing was seen to be taken from it although connections wait; 0: less than a second.
  [[nodiscard]] std::chrono::milliseconds still_for() const;
  /// Whether something was taken from it before that without emptying it.
  [[nodiscard]] bool was_taken_from() const;
  /// The same, and it was full before that.
  [[nodiscard]] bool was_full_before() const;
  /// How long no look until now has found the queue empty.
  [[nodiscard]] std::chrono::milliseconds stood_for() const;
  /// How long connections have been taken from a queue that is not empty, with pauses shorter than `pause`;
  /// 0: it is empty, or nothing was seen to be taken from it.
  [[nodiscard]] std::chrono::milliseconds served_for(std::chrono::milliseconds pause) const;
  /// Connection attempts that were turned away at this listener since then: of the namespace's
  /// ListenOverflows, at most what the listener dropped.
  [[nodiscard]] std::uint64_t overflows(TimePoint since) const;
  /// The same without the times when the queue was pinned for `stall` or longer, or was not seen empty for
  /// `slow` or longer, and while clients that were turned away then still try again: what a burst did, not an
  /// application that stood still or was too slow. The course has to begin well before `since`, so that these
  /// times are seen as a whole.
  [[nodiscard]] std::uint64_t overflows_in_bursts(TimePoint since, std::chrono::milliseconds stall,
                                                  std::chrono::milliseconds slow) const;
  /// Whether the queue became no shorter within the last two seconds.
  [[nodiscard]] bool grows() const;
  /// Whether the queue was seen empty after it was last full.
  [[nodiscard]] bool emptied_since_overflow() const;
};

/// The course of every listener whose queue was full, or did not empty, or that dropped something within the
/// window; all others are left out. Where there are more than kMostQueues, the fullest of each user. Errors:
/// the listeners cannot be read.
Result<std::vector<QueueCourse>> troubled_queues(const Window& window);
inline constexpr std::size_t kMostQueues = 1024;

/// Why the queues of some listeners are not judged: there are too many in trouble. Empty: all are, or it is
/// not known.
std::optional<Error> unseen_queues(const Window& window);

/// How long a run was, rounded to the distance of two looks.
std::chrono::milliseconds length_of(const QueueRun& run);

/// Whether connections were taken from the listener's queue during a run in which no look found it empty or
/// shorter. Empty: that cannot be told.
std::optional<bool> accepts(const Window& window, const Listener& listener, const QueueRun& run);

/// How long the connection that was first in the listener's queue had waited at the latest dump. Empty: no
/// dump since then tells, or several listeners share the port.
std::optional<std::chrono::milliseconds> first_waited(const Window& window, const Listener& listener,
                                                      TimePoint since);

/// How long the first one has waited now, when nothing was taken from the queue during a run that goes on.
/// Empty: as above.
std::optional<std::chrono::milliseconds> first_waits(const Window& window, const Listener& listener,
                                                     const QueueRun& still);

/// How many accepted connections of the listener's port are open, when every dump of the run shows the same
/// number; 0: it changed, or there are none. Empty: fewer than two dumps tell.
std::optional<std::uint64_t> accepted_and_unchanged(const Window& window, const Listener& listener,
                                                    const QueueRun& run);

/// Whether nothing was taken from the full members of a group during the last `time`, while the others were
/// served: between two dumps no more than what waited at those. Empty: that cannot be told.
std::optional<bool> stands_beside_others(const Window& window, const Listener& group,
                                         std::chrono::milliseconds time);

}  // namespace tcpdiag
