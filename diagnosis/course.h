// SPDX-License-Identifier: Apache-2.0
// How a reading went over time: how long something has held, and where a growing number leads to.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "diagnosis/window.h"

namespace tcpdiag {

/// For how long `holds` has been true of every reading up to the latest; zero when only of that one. Empty:
/// not of the latest one, or there is none.
template <class T, class Condition>
std::optional<std::chrono::nanoseconds> held_for(const std::vector<Dated<T>>& readings, Condition holds) {
  if (readings.empty() || !holds(*readings.back().value)) return std::nullopt;
  auto first = readings.size() - 1;
  while (first > 0 && holds(*readings[first - 1].value)) --first;
  return readings.back().at - readings[first].at;
}

/// A number at a moment.
struct Point {
  TimePoint at;
  double value = 0;
};

inline constexpr std::chrono::seconds kSlopeSpan{3};

/// How much it grows in a second between two points; empty when they are less than kSlopeSpan apart.
std::optional<double> slope(Point first, Point last);

/// How long it takes until the number reaches `limit` if it goes on as between these points. Empty: it does
/// not grow, is there already, or would take longer than a week.
std::optional<std::chrono::seconds> time_to_reach(double limit, Point first, Point last);

/// The same for a course of points, oldest first: by the slope of the last minute, or by the whole course
/// when it grows so slowly that a minute shows nothing.
std::optional<std::chrono::seconds> forecast(const std::vector<Point>& course, double limit);

}  // namespace tcpdiag
