// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>

#include "core/time_point.h"
#include "exporters/web_config.h"

namespace tcpdiag {

/// A bucket that holds RateLimit::burst requests and gets one more every RateLimit::interval. Safe to use
/// from several threads.
class RateLimiter {
 public:
  /// Whether one more request is allowed, which is then taken out. A limit that is not the last call's begins
  /// with a full bucket.
  bool allow(const RateLimit& limit, TimePoint now);

 private:
  std::mutex mutex_;
  std::optional<RateLimit> limit_;
  double left_ = 0;
  TimePoint filled_;
};

}  // namespace tcpdiag
