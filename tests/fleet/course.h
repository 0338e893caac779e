// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tcpdiag::fleet {

/// The pages of /metrics that a daemon would have shown while a recording was made, one for each of its
/// reports, as the daemon's own collectors, rules and exporter make them. They can be shown for ever: the
/// recording begins anew when it is over, and its counters go on from where they were.
class Course {
 public:
  /// Replays a recording. Errors: it is none, or gives no page.
  static Result<Course> of(const std::filesystem::path& recording);

  /// The page of a host that has played the recording since `started`.
  [[nodiscard]] std::string page(std::chrono::system_clock::time_point started,
                                 std::chrono::system_clock::time_point now) const;

 private:
  /// A line of a page, cut where its number begins.
  struct Line {
    std::string text;  ///< all of it where nothing moves, else up to the number
    double value = 0;  ///< of what moves
    double rise = 0;   ///< of a counter: by how much it rises from round to round
    enum { still, counter, report_time, start_time } kind = still;
  };
  struct Page {
    std::chrono::milliseconds at;  ///< since the recording began
    double wall_seconds = 0;       ///< the recorded wall clock
    std::vector<Line> lines;
  };

  void add_page(std::chrono::milliseconds at, double wall_seconds, std::string_view text);
  void find_rises();

  std::vector<Page> pages_;
  std::chrono::milliseconds length_{};
};

}  // namespace tcpdiag::fleet
