// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/course.h"

#include <cmath>

namespace tcpdiag {

std::optional<double> slope(Point first, Point last) {
  if (last.at - first.at < kSlopeSpan) return std::nullopt;
  return (last.value - first.value) / std::chrono::duration<double>(last.at - first.at).count();
}

std::optional<std::chrono::seconds> time_to_reach(double limit, Point first, Point last) {
  constexpr double kWeek = 7 * 86400;
  const auto per_second = slope(first, last);
  if (!per_second || *per_second <= 0 || last.value >= limit) return std::nullopt;
  const auto seconds = (limit - last.value) / *per_second;
  if (seconds > kWeek) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds)));
}

}  // namespace tcpdiag
