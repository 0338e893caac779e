// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/processes.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <stdexcept>

#include "core/result.h"

namespace tcpdiag::incidents {
namespace {

void enter(const std::string& netns) {
  const int file = ::open(("/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 || ::setns(file, CLONE_NEWNET) != 0)
    throw std::runtime_error(system_error(errno, "entering " + netns).detail);
}

[[noreturn]] void live(const std::string& comm, const std::string& netns, const std::function<void()>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    if (!netns.empty()) enter(netns);
    ::close_range(3, ~0U, 0);
    ::prctl(PR_SET_NAME, comm.c_str());
    body();
  } catch (const std::exception& error) {
    std::cerr << comm << ": " << error.what() << std::endl;
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

Process::Process(const std::string& comm, const std::string& netns, const std::function<void()>& body)
    : pid_(::fork()) {
  if (pid_ == 0) live(comm, netns, body);
  if (pid_ < 0) throw std::runtime_error(system_error(errno, "starting " + comm).detail);
}

void Process::end() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void Process::wait() {
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Process::signal(int number) const { ::kill(pid_, number); }

std::uint64_t open_fds(pid_t pid) {
  const std::filesystem::directory_iterator fds("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::uint64_t>(std::distance(std::filesystem::begin(fds), std::filesystem::end(fds)));
}

void limit_fds(pid_t pid, unsigned max_fds) {
  const rlimit limit{.rlim_cur = max_fds, .rlim_max = std::max(max_fds, 4096U)};
  if (::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr) != 0)
    throw std::runtime_error(system_error(errno, "RLIMIT_NOFILE").detail);
}

}  // namespace tcpdiag::incidents
