// SPDX-License-Identifier: Apache-2.0
#include "cli/replay.h"

#include "collectors/catalog.h"
#include "collectors/recording.h"
#include "daemon/cycle.h"
#include "daemon/netns_watch.h"

namespace tcpdiag {

namespace {

// In a replay it is the time of the recording.
Clocks recorded_clocks(const Recording& recording) {
  auto clocks = Clocks::system();
  clocks.monotonic = [&recording] { return recording.now(); };
  clocks.wall = [&recording] {
    const auto since_start = recording.now() - recording.about().started;
    return recording.about().started_at +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(since_start);
  };
  return clocks;
}

}  // namespace

Result<Report> replay(const std::filesystem::path& directory) {
  auto recording = Recording::open(directory);
  if (!recording) return tl::unexpected<Error>(recording.error());
  const auto paths = std::make_shared<NetnsPaths>();
  const auto open = [&](const std::string& netns, Thread) {
    const auto generation = paths->of(netns).generation;
    return generation == 0 ? recording->source(netns) : recording->source_of_found(generation);
  };
  Cycle cycle(collector_catalog(), recording->namespaces(), open, {.hurry = false},
              recorded_clocks(*recording));
  NetnsWatch netns_watch(cycle, {}, paths, NetnsWatch::kMost);
  netns_watch.set_only([&](const FoundNetns& found) { return recording->has_found(found.generation); });
  auto diagnose_at = TimePoint::min();
  for (const auto tick : recording->ticks()) {
    recording->seek(tick);
    cycle.run_all(tick);
    netns_watch.follow();
    if (tick < diagnose_at) continue;
    cycle.diagnose(tick);
    diagnose_at = tick + kDiagnosisPeriod;
  }
  return cycle.report(recording->now());
}

}  // namespace tcpdiag
