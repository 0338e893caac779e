// SPDX-License-Identifier: Apache-2.0
#include "daemon/clock.h"

#include <ctime>

namespace tcpdiag {

Clocks Clocks::system() {
  return {.monotonic = [] { return std::chrono::steady_clock::now(); },
          .wall = [] { return std::chrono::system_clock::now(); },
          .thread_cpu =
              [] {
                timespec used{};
                ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
                return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
              }};
}

}  // namespace tcpdiag
