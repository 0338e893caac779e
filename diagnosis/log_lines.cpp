// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/log_lines.h"

#include <algorithm>

namespace tcpdiag {
namespace {

std::string latest_line(const KernelLog& log, KernelEventKind kind) {
  const auto newest = std::find_if(log.recent.rbegin(), log.recent.rend(),
                                   [&](const KernelEvent& event) { return event.kind == kind; });
  return newest == log.recent.rend() ? "" : newest->text;
}

}  // namespace

Result<LogLines> log_lines(const Window& window, KernelEventKind kind, TimePoint until) {
  const auto now = window.latest(&Snapshot::kernel_log);
  if (!now) return tl::unexpected<Error>(now.error());
  auto readings = window.readings(&Snapshot::kernel_log);
  std::erase_if(readings, [&](const Dated<KernelLog>& reading) { return reading.at > until; });
  if (readings.size() < 2)
    return unexpected(Errc::not_read,
                      "kernel_log: only one reading in the window, and new lines show in the second");
  const auto& first = *readings.front().value;
  const auto& last = *readings.back().value;
  const auto index = static_cast<std::size_t>(kind);
  if (last.counts.at(index) < first.counts.at(index))
    return unexpected(Errc::failed, "kernel_log: its counts started over");
  const auto count = last.counts.at(index) - first.counts.at(index);
  if (count > 0) return LogLines{count, latest_line(last, kind)};
  if (last.lost > first.lost)
    return unexpected(Errc::failed, "kernel_log: " + std::to_string(last.lost - first.lost) +
                                        " records were overwritten before they were read");
  return LogLines{};
}

}  // namespace tcpdiag
