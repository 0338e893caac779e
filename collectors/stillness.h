// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "collectors/collector.h"

namespace tcpdiag {

/// Whether anything has moved in a namespace since its sockets were dumped. Counters say so that are read
/// anyway: no connection is made and no byte sent or received without segments, and no socket appears or goes
/// without the number of those in use.
class Stillness {
 public:
  /// A dump is about to begin: what the namespace's counters say now is from before it.
  void begin(const NetnsView& netns);
  /// The same for who looks more often than the counters are read: where it may rest, sockets in use are
  /// counted anew.
  void begin_now(const Reading& reading);
  /// As of when nothing has moved since begin(). Empty: something has, or it is not known.
  [[nodiscard]] std::optional<TimePoint> lasts_until(const NetnsView& netns) const;
  /// The same as of now, for who looks more often than the counters are read: sockets in use are counted
  /// anew, which costs a third of a dump. Two that come and go meanwhile are not told apart from none; the
  /// counters tell when they are read next.
  [[nodiscard]] std::optional<TimePoint> lasts_until_now(const Reading& reading) const;

 private:
  // Held, so that no other value can have the same address. A value that did not change is shared
  // (make_collector()).
  std::shared_ptr<const TcpCounters> counters_;
  std::shared_ptr<const SocketUsage> usage_;
};

}  // namespace tcpdiag
