// SPDX-License-Identifier: Apache-2.0
#include "exporters/rate_limiter.h"

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

int allowed(RateLimiter& limiter, const RateLimit& limit, TimePoint at, int asked) {
  int count = 0;
  for (int i = 0; i < asked; ++i) count += limiter.allow(limit, at) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a burst is let through, and then one request in each interval", "[web]") {
  RateLimiter limiter;
  const RateLimit limit{100ms, 3};
  const TimePoint start{1h};
  CHECK(allowed(limiter, limit, start, 10) == 3);
  CHECK(allowed(limiter, limit, start + 99ms, 10) == 0);
  CHECK(allowed(limiter, limit, start + 101ms, 10) == 1);
  CHECK(allowed(limiter, limit, start + 302ms, 10) == 2);
  CHECK(allowed(limiter, limit, start + 24h, 10) == 3);
}

TEST_CASE("a new limit begins with a full bucket, and time that goes back gives nothing", "[web]") {
  RateLimiter limiter;
  const TimePoint start{1h};
  CHECK(allowed(limiter, {1s, 2}, start, 5) == 2);
  CHECK(allowed(limiter, {1s, 4}, start, 5) == 4);
  CHECK(allowed(limiter, {1s, 4}, start - 10s, 5) == 0);
  CHECK(allowed(limiter, {1s, 4}, start + 1s, 5) == 1);
}
