// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/course.h"

#include <algorithm>
#include <cmath>

#include "core/saturating.h"

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
  return std::chrono::seconds(saturating_cast<std::int64_t>(std::ceil(seconds)));
}

std::optional<std::chrono::seconds> forecast(const std::vector<Point>& course, double limit) {
  constexpr double kNoise = 3;
  if (course.empty()) return std::nullopt;
  const auto last = course.back();
  const auto recent =
      std::ranges::find_if(course, [&](const Point& point) { return last.at - point.at <= History::kFine; });
  for (const auto& first : {*recent, course.front()}) {
    if (last.value < first.value) return std::nullopt;
    if (last.value - first.value >= kNoise) return time_to_reach(limit, first, last);
  }
  return std::nullopt;
}

}  // namespace tcpdiag
