// SPDX-License-Identifier: Apache-2.0
// Any members in any order, in several looks: drops never decrease and every look is in the histogram.
#include <numeric>

#include "collectors/listeners.h"

using namespace tcpdiag;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ListenerHistory history;
  std::uint64_t looks = 0, drops = 0;
  std::vector<ListenerSocket> members;
  for (; size >= 4; data += 4, size -= 4) {
    members.push_back({.cookie = data[0] % 8U, .queue_length = data[1], .queue_limit = data[2]});
    if (data[3] != 0) members.back().drops = data[3] * 0x01000000U;
    if (data[0] < 128) continue;
    const auto now = TimePoint(std::chrono::seconds(looks * data[1]));
    const auto listener = history.advance({}, {}, std::exchange(members, {}), now);
    const auto& samples = listener.fill.samples;
    if (std::accumulate(samples.begin(), samples.end(), std::uint64_t{0}) != ++looks) __builtin_trap();
    if (listener.drops && *listener.drops < drops) __builtin_trap();
    if (!listener.drops && drops != 0) __builtin_trap();
    drops = listener.drops.value_or(0);
  }
  return 0;
}
