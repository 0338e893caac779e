// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace tcpdiag::bench {

/// Starts a program, found as the shell finds it, that gets SIGTERM when we end. -1: no process was made.
inline pid_t start(char* const* words, int input = STDIN_FILENO, int output = STDOUT_FILENO) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::execvp(words[0], words);
  std::perror(words[0]);
  ::_exit(127);
}

/// How a process ended, as a shell tells it, and the CPU time it used.
struct Ended {
  int code = 0;
  double cpu_seconds = 0;
};

inline double to_seconds(timeval time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

inline Ended wait_for(pid_t child) {
  rusage used{};
  int status = 0;
  if (::wait4(child, &status, 0, &used) != child) return {.code = 127};
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          to_seconds(used.ru_utime) + to_seconds(used.ru_stime)};
}

}  // namespace tcpdiag::bench
