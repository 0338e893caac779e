// SPDX-License-Identifier: Apache-2.0
#include "cli/record.h"

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "cli/pace.h"
#include "cli/sample.h"
#include "collectors/catalog.h"
#include "collectors/recording.h"
#include "core/number_text.h"
#include "core/utf8.h"
#include "daemon/cycle.h"
#include "daemon/loop.h"
#include "daemon/netns_watch.h"
#include "daemon/this_machine.h"

namespace tcpdiag {
namespace {

RecordingAbout about_this_machine(const Clocks& clocks) {
  utsname system{};
  ::uname(&system);
  return {.kernel = system.release,
          .started_at = clocks.wall(),
          .started = clocks.monotonic(),
          .page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

void note_runs(const Report& report, Recorded& recorded) {
  for (const auto& run : report.runs) recorded.anything = recorded.anything || run.succeeded_at;
  recorded.failures = failures_of(report);
}

// The present is what a recording can hold, whole milliseconds since its start, so that a replay runs at the
// same times.
Clocks coarse(TimePoint started, Clocks clocks) {
  clocks.monotonic = [started, precise = clocks.monotonic] {
    return started + std::chrono::floor<std::chrono::milliseconds>(precise() - started);
  };
  return clocks;
}

}  // namespace

Result<Recorded> record(const RecordOptions& options, const NetnsChoice& netns, const Clocks& clocks) {
  ::umask(S_IRWXG | S_IRWXO);  // also of directories above it that are not there yet
  const auto about = about_this_machine(clocks);
  auto writer = RecordingWriter::create(options.directory, about, {.stopping = stop_is_pending});
  if (!writer) return tl::unexpected<Error>(writer.error());

  Recorded recorded;
  const auto paths = std::make_shared<NetnsPaths>();
  const auto open = [&, open_live = open_this_machine(clocks, stop_is_pending, {}, paths)](
                        const std::string& name, Thread thread) {
    auto live = open_live(name, thread);
    const auto generation = paths->of(name).generation;
    return generation == 0 ? (*writer)->wrap(std::move(live), name)
                           : (*writer)->wrap_found(std::move(live), generation);
  };
  CycleOptions cycle_options{.hurry = false};
  if (!netns.found) cycle_options.collectors_off.emplace(collector_of(Type<NetnsList>{}));
  Cycle cycle(collector_catalog(), with_host(netns.paths), open, cycle_options, clocks);
  NetnsWatch netns_watch(cycle, netns.paths, paths);
  netns_watch.set_filter(netns.filter);
  block_loop_signals();
  const auto end = about.started + options.duration;
  Result<void> written;
  const auto goes_on = [&](TimePoint next) { return written && next <= end; };
  drive(coarse(about.started, clocks), about.started, goes_on, [&](TimePoint tick) {
    if (tick >= end + kTick) return;
    written = (*writer)->begin_tick(tick);
    if (!written) return;
    cycle.run_all(tick);
    netns_watch.follow();
    recorded.namespaces = std::max(recorded.namespaces, cycle.snapshot().namespaces.size());
    ++recorded.ticks;
    written = (*writer)->end_tick();
  });
  if (!written) return tl::unexpected<Error>(written.error());
  if (written = (*writer)->outcome(); !written) return tl::unexpected<Error>(written.error());
  note_runs(cycle.report(clocks.monotonic()), recorded);
  return recorded;
}

std::string to_line(const Recorded& recorded, const RecordOptions& options) {
  constexpr std::size_t kMostNamed = 8;
  auto line = "recorded " + counted(recorded.ticks, "tick") + " of " +
              counted(recorded.namespaces, "namespace") + " into " + one_line(options.directory.string());
  for (std::size_t i = 0; i < std::min(recorded.failures.size(), kMostNamed); ++i)
    line += (i == 0 ? "; failed: " : "; ") + one_line(recorded.failures[i]);
  if (recorded.failures.size() > kMostNamed)
    line += "; and " + std::to_string(recorded.failures.size() - kMostNamed) + " more";
  return line;
}

}  // namespace tcpdiag
