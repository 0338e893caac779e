// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "collectors/netns_door.h"
#include "core/file_descriptor.h"
#include "core/result.h"
#include "core/time_point.h"

namespace tcpdiag {

/// Where tcpdiagd-netns listens as a service (systemd/tcpdiagd-netns.socket).
inline constexpr auto kDoorkeeperPath = "/run/tcpdiagd-netns/socket";

/// Asks tcpdiagd-netns, which may enter namespaces, to open one. For several threads; one asks at a time.
///
/// It is another process: it may be absent, killed or hang. When it has not answered in time it is left alone
/// for kRest, so that a loop that must not wait loses little; what it would have opened is an error until
/// then.
class NetnsDoorkeeper {
 public:
  using Clock = std::function<TimePoint()>;

  /// It is connected to at `path`, again whenever the connection is lost.
  NetnsDoorkeeper(std::string path, Clock clock) : path_(std::move(path)), clock_(std::move(clock)) {}
  /// It is at the other end of `connection`, and nobody takes its place when it ends.
  NetnsDoorkeeper(FileDescriptor connection, Clock clock)
      : clock_(std::move(clock)), connection_(std::move(connection)) {}

  /// Waits at most about `patience`. Errors: it cannot be asked, or may not enter the namespace; the detail
  /// says which of it.
  Result<NetnsDoor> open(const Netns& netns, std::chrono::milliseconds patience);

  static constexpr std::chrono::seconds kRest{5};

 private:
  Result<void> connect();
  Result<Result<NetnsDoor>> ask(const Netns& netns, std::chrono::milliseconds patience);
  Result<Result<NetnsDoor>> request(const Netns& netns);

  std::mutex mutex_;
  std::string path_;  // empty: there was one connection, and no other
  Clock clock_;
  FileDescriptor connection_;
  std::uint32_t asked_ = 0;  // so far
  Error trouble_;            // why it is left alone
  std::optional<TimePoint> rests_until_;
};

}  // namespace tcpdiag
