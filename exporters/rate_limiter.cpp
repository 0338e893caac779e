// SPDX-License-Identifier: Apache-2.0
#include "exporters/rate_limiter.h"

#include <algorithm>

namespace tcpdiag {

bool RateLimiter::allow(const RateLimit& limit, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  const double full = limit.burst;
  if (limit_ != limit) {
    limit_ = limit;
    left_ = full;
    filled_ = now;
  }
  if (now > filled_) {  // two threads may come with their times in another order
    const std::chrono::duration<double> elapsed = now - filled_;
    left_ = std::min(full, left_ + elapsed / std::chrono::duration<double>(limit.interval));
    filled_ = now;
  }
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

}  // namespace tcpdiag
