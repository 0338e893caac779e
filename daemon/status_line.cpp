// SPDX-License-Identifier: Apache-2.0
#include "daemon/status_line.h"

#include <algorithm>
#include <set>

#include "core/utf8.h"

namespace tcpdiag {

std::string status_line(const Report& report) {
  const auto open = std::ranges::count_if(report.incidents, &Incident::is_open);
  std::string line =
      open == 0 ? "no findings" : std::to_string(open) + (open == 1 ? " finding" : " findings");
  if (open != 0) {
    const auto& worst =
        report.incidents.front().finding;  // open ones come first, the worst of them at the top
    line += (open == 1 ? ": " : ", the worst: ") + std::string(to_string(worst.severity)) + " " + worst.id +
            " " + to_string(worst.subject);
  }
  std::set<std::string_view> failing;  // a collector runs once for each namespace
  for (const auto& run : report.runs)
    if (run.has_run() && !run.outcome) failing.insert(run.collector);
  std::string_view before = "; failing: ";
  for (const auto name : failing) {
    line.append(before).append(name);
    before = ", ";
  }
  return one_line(line);
}

}  // namespace tcpdiag
