// SPDX-License-Identifier: Apache-2.0
// hold_thread TID: stops one thread of a process, as a system call that does not return would, while the
// others go on. Says "held" and ends with the thread.
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto thread = static_cast<pid_t>(std::strtol(argv[1], nullptr, 10));
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0 ||
      ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) {
    std::perror("hold_thread");
    return 1;
  }
  int status = 0;
  if (::waitpid(thread, &status, __WALL) != thread) return 1;
  std::puts("held");
  std::fflush(stdout);
  while (::waitpid(thread, &status, __WALL) == thread && !WIFEXITED(status) && !WIFSIGNALED(status)) {
  }
}
