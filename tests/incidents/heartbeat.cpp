// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/heartbeat.h"

#include <sched.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kBeat{100};

}  // namespace

Heartbeat::Heartbeat() : process_("heartbeat", "", [state = state_.get()] { beat_everywhere(*state); }) {}

milliseconds Heartbeat::standing_still() const {
  milliseconds longest{0};
  for (const auto& latest : state_->latest_beat) {
    if (latest == 0) continue;
    const TimePoint at{TimePoint::duration(latest)};
    longest = std::max(longest, std::chrono::duration_cast<milliseconds>(now() - at) - kBeat);
  }
  return longest;
}

void Heartbeat::beat(State& state, std::size_t cpu) {
  cpu_set_t only{};
  CPU_SET(cpu, &only);
  if (::sched_setaffinity(0, sizeof only, &only) != 0) return;
  for (;;) {
    state.latest_beat[cpu] = now().time_since_epoch().count();
    std::this_thread::sleep_for(kBeat);
  }
}

void Heartbeat::beat_everywhere(State& state) {
  std::vector<std::jthread> threads;
  const auto cpus = std::min<std::size_t>(std::thread::hardware_concurrency(), kMaxCpus);
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) threads.emplace_back([&state, cpu] { beat(state, cpu); });
}

}  // namespace tcpdiag::incidents
