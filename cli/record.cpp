// SPDX-License-Identifier: Apache-2.0
#include "cli/record.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <csignal>

#include "collectors/catalog.h"
#include "collectors/live_source.h"
#include "collectors/recording.h"
#include "daemon/cycle.h"
#include "daemon/loop.h"

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

// Waits until `until`; false when a signal asks to stop before.
bool wait_until(TimePoint until, const Clocks& clocks) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  for (;;) {
    const auto left = std::chrono::nanoseconds(until - clocks.monotonic()).count();
    if (left <= 0) return true;
    const timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    if (::sigtimedwait(&stop, nullptr, &timeout) > 0) return false;
  }
}

}  // namespace

Result<void> record(const RecordOptions& options, const Clocks& clocks) {
  const auto about = about_this_machine(clocks);
  auto writer = RecordingWriter::create(options.directory, about);
  if (!writer) return tl::unexpected<Error>(writer.error());

  std::vector<std::string> namespaces = {kHostNetns};
  namespaces.insert(namespaces.end(), options.namespaces.begin(), options.namespaces.end());
  const auto open = [&](const std::string& netns, Thread) {
    return (*writer)->wrap(
        make_live_source({.netns = netns == kHostNetns ? "" : netns, .clock = clocks.monotonic}), netns);
  };
  Cycle cycle(collector_catalog(), namespaces, open, {}, clocks);
  block_loop_signals();
  for (auto tick = about.started; tick <= about.started + options.duration; tick += kTick) {
    if (!wait_until(tick, clocks)) break;
    if (auto begun = (*writer)->begin_tick(tick); !begun) return begun;
    cycle.run_all(tick);
  }
  return (*writer)->outcome();
}

}  // namespace tcpdiag
