// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <ctime>

namespace tcpdiag::bench {

using Seconds = std::chrono::duration<double>;

inline Seconds read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// CPU time, user and system, of the calling thread.
inline Seconds own_cpu() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

/// CPU time, user and system, of all threads of a running process, finer than the ticks of /proc/PID/stat.
inline Seconds cpu_of(pid_t pid) {
  clockid_t clock{};
  return ::clock_getcpuclockid(pid, &clock) == 0 ? read_clock(clock) : Seconds(0);
}

}  // namespace tcpdiag::bench
