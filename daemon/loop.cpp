// SPDX-License-Identifier: Apache-2.0
#include "daemon/loop.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "core/file_descriptor.h"

namespace tcpdiag {
namespace {

sigset_t loop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

tl::unexpected<Error> failed(const char* call) { return tl::unexpected<Error>(system_error(errno, call)); }

Result<FileDescriptor> start_timer() {
  FileDescriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return failed("timerfd_create");
  const timespec every{.tv_nsec = std::chrono::nanoseconds(kTick).count()};
  const itimerspec schedule{.it_interval = every, .it_value = {.tv_nsec = 1}};
  if (::timerfd_settime(timer.get(), 0, &schedule, nullptr) != 0) return failed("timerfd_settime");
  return timer;
}

template <class T>
bool take(const FileDescriptor& from, T& value) {
  return ::read(from.get(), &value, sizeof value) == static_cast<ssize_t>(sizeof value);
}

}  // namespace

void block_loop_signals() {
  const auto signals = loop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE,
              SIG_IGN);  // a client or a pipe that went away is an error of a write, no reason to die
}

Result<void> run_loop(const LoopEvents& events) {
  const auto signals = loop_signals();
  const FileDescriptor signal_fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signal_fd) return failed("signalfd");
  const auto timer = start_timer();
  if (!timer) return tl::unexpected<Error>(timer.error());

  std::array<pollfd, 3> waited = {{{.fd = signal_fd.get(), .events = POLLIN},
                                   {.fd = timer->get(), .events = POLLIN},
                                   {.fd = events.finished_fd, .events = POLLIN}}};
  for (;;) {
    if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return failed("poll");
    signalfd_siginfo signal{};
    if (take(signal_fd, signal)) {
      if (signal.ssi_signo != SIGHUP) return {};
      events.reload();
    }
    std::uint64_t expirations = 0;
    if (take(*timer, expirations)) events.tick(expirations - 1);
    if ((waited[2].revents & POLLIN) != 0) events.finished();
  }
}

}  // namespace tcpdiag
