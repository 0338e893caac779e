// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/course.h"

#include "core/facts/file_handles.h"
#include "tests/catch.h"
#include "tests/history.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1h};

std::optional<std::chrono::nanoseconds> open_for(const std::vector<std::uint64_t>& readings) {
  HistoryBuilder history;
  for (const auto open : readings) history.set(&Snapshot::files, FileHandles{.open = open}).tick(4s);
  const Window window(history.history(), NetnsId::host, 60s);
  return held_for(window.readings(&Snapshot::files), [](const FileHandles& files) { return files.open > 0; });
}

}  // namespace

TEST_CASE("what holds is followed back to the reading in which it did not") {
  CHECK(open_for({1, 0, 1, 1, 1}) == 8s);
  CHECK(open_for({0, 1}) == 0s);
  CHECK_FALSE(open_for({1, 1, 0}));
}

TEST_CASE("a number that grows reaches its limit in time") {
  CHECK(time_to_reach(100, {kStart, 40}, {kStart + 10s, 60}) == 20s);
  CHECK(time_to_reach(101, {kStart, 40}, {kStart + 10s, 60}) == 21s);
  CHECK_FALSE(time_to_reach(100, {kStart, 60}, {kStart + 10s, 60}));
  CHECK_FALSE(time_to_reach(100, {kStart, 60}, {kStart + 10s, 50}));
  CHECK_FALSE(time_to_reach(100, {kStart, 40}, {kStart + 10s, 100}));
  CHECK_FALSE(time_to_reach(100, {kStart, 40}, {kStart + 1s, 60}));
  CHECK_FALSE(time_to_reach(1e9, {kStart, 40}, {kStart + 300s, 41}));
}
