// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/close_wait_course.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <unordered_set>

#include "diagnosis/subjects.h"

namespace tcpdiag {
namespace {

using std::chrono::seconds;

constexpr seconds kStays{10};
constexpr double kNearlyAll = 0.9;

constexpr unsigned kRises = 3;
constexpr seconds kGrows{20}, kClientGrows{60}, kGrowsLong{120};
constexpr seconds kStillGrows{30};

// Readings are compared that are so far apart; with a minute of fine ones and four of coarse ones that is
// some forty at most.
constexpr std::chrono::milliseconds kApart{2900};
constexpr seconds kFarApart{10};

using Counts = std::map<CloseWaitService, std::uint64_t>;
using Readings = std::vector<Dated<Connections>>;

// A client's pool may hold as many as it had idle connections when the server closed them.
std::uint64_t many(CloseWaitService service, const Thresholds& t) {
  return service.server ? t.close_wait_min : t.close_wait_client_min;
}

Counts count_old(const Dated<Connections>& reading, seconds age) {
  Counts counts;
  for (const auto& each : reading.value->close_wait)
    if (each.idle_since() <= reading.at - age) ++counts[service_of(each)];
  return counts;
}

Counts count_standing(const Dated<Connections>& reading) {
  Counts counts;
  for (const auto& each : reading.value->close_wait)
    if (each.idle_since() <= reading.at - stands_from(service_of(each))) ++counts[service_of(each)];
  return counts;
}

// Oldest first.
Readings compared(const Readings& readings) {
  Readings chosen;
  for (const auto& reading : readings | std::views::reverse) {
    const auto age = readings.back().at - reading.at;
    const auto apart = age > History::kFine ? TimePoint::duration(kFarApart) : TimePoint::duration(kApart);
    if (chosen.empty() || chosen.back().at - reading.at >= apart) chosen.push_back(reading);
  }
  std::ranges::reverse(chosen);
  return chosen;
}

// The connections of a service that a program holds or will. Empty: they are not counted by port.
std::optional<std::uint64_t> open_connections(const Connections& connections, CloseWaitService service) {
  const auto& rows = service.server ? connections.server : connections.client;
  const auto row = std::ranges::lower_bound(rows, service.port, {}, &PortConnections::port);
  if (row == rows.end() || row->port != service.port)
    return service.server ? std::optional<std::uint64_t>(0) : std::nullopt;
  return std::uint64_t{row->count(TcpState::established)} + row->count(TcpState::close_wait);
}

struct Look {
  TimePoint at;
  std::uint64_t old = 0;
  std::optional<std::uint64_t> open;  // open_connections()
};

// The end of a course in which they did not become fewer, but for what a dump may miss.
std::span<const Look> without_fall(std::span<const Look> course) {
  auto first = course.size() - 1;
  auto lowest = course[first].old;
  while (first > 0 && course[first - 1].old <= lowest + lowest / 20 + 1)
    lowest = std::min(lowest, course[--first].old);
  return course.subspan(first);
}

struct Growth {
  unsigned rises = 0;
  std::uint64_t sum = 0, largest = 0;
  TimePoint first_at, last_at;
};

Growth growth_of(std::span<const Look> course) {
  Growth growth;
  auto highest = course.front().old;
  for (const auto& look : course) {
    if (look.old <= highest) continue;
    const auto step = look.old - std::exchange(highest, look.old);
    growth.sum += step;
    growth.largest = std::max(growth.largest, step);
    if (growth.rises++ == 0) growth.first_at = look.at;
    growth.last_at = look.at;
  }
  return growth;
}

bool is_growing(CloseWaitService service, std::span<const Look> all, const Thresholds& t) {
  const auto course = without_fall(all);
  const auto growth = growth_of(course);
  const auto lasted = growth.last_at - growth.first_at;
  if (growth.rises < kRises || growth.sum - growth.largest < many(service, t)) return false;
  if (lasted < (service.server ? kGrows : kClientGrows)) return false;
  if (course.back().at - growth.last_at > std::max<TimePoint::duration>(kStillGrows, lasted / 2))
    return false;
  const auto before = course.front().open, now = course.back().open;
  const bool more_open = before && now && *now >= *before + growth.sum / 2;
  return more_open || (service.server && lasted >= kGrowsLong);
}

// Of the services' connections that were old some seconds ago, the share that is still there: nearly all.
std::map<CloseWaitService, bool> staying(const Readings& readings) {
  std::map<CloseWaitService, bool> stay;
  const auto& now = readings.back();
  const auto before = std::ranges::find_if(
      readings.rbegin(), readings.rend(), [&](const auto& reading) { return now.at - reading.at >= kStays; });
  if (before == readings.rend()) return stay;
  std::unordered_set<std::uint64_t> present;
  for (const auto& each : now.value->close_wait) present.insert(each.cookie);
  Counts still;
  for (const auto& each : before->value->close_wait)
    if (each.idle_since() <= before->at - kOldCloseWait && present.contains(each.cookie))
      ++still[service_of(each)];
  for (const auto& [service, count] : count_old(*before, kOldCloseWait))
    stay[service] = static_cast<double>(still[service]) >= kNearlyAll * static_cast<double>(count);
  return stay;
}

}  // namespace

CloseWaitService service_of(const CloseWait& socket) { return {socket.server, socket.port}; }

seconds stands_from(CloseWaitService service) { return service.server ? seconds(20) : seconds(60); }

std::vector<CloseWait> idle_for(const Dated<Connections>& reading, seconds age) {
  std::vector<CloseWait> old;
  std::ranges::copy_if(reading.value->close_wait, std::back_inserter(old),
                       [&](const CloseWait& each) { return each.idle_since() <= reading.at - age; });
  return old;
}

std::map<CloseWaitService, CloseWaitCourse> close_wait_courses(const Window& window, const Thresholds& t) {
  std::map<CloseWaitService, std::vector<Look>> looks;
  std::map<CloseWaitService, CloseWaitCourse> courses;
  const auto readings = window.readings(&NetnsView::connections);
  if (readings.empty()) return courses;
  for (const auto& [service, count] : count_old(readings.back(), kOldCloseWait))
    if (count >= many(service, t)) looks.try_emplace(service);
  if (looks.empty()) return courses;
  for (const auto& reading : compared(readings)) {
    const auto old = count_old(reading, kOldCloseWait);
    for (auto& [service, course] : looks) {
      const auto count = old.find(service);
      course.push_back(
          {reading.at, count == old.end() ? 0 : count->second, open_connections(*reading.value, service)});
    }
  }
  auto stay = staying(readings);
  auto standing = count_standing(readings.back());
  for (const auto& [service, course] : looks) {
    auto& result = courses[service];
    if (!stay[service]) continue;
    if (is_growing(service, course, t))
      result = CloseWaitCourse::growing;
    else if (standing[service] >= t.close_wait_standing_min)
      result = CloseWaitCourse::standing;
  }
  return courses;
}

}  // namespace tcpdiag
