// SPDX-License-Identifier: Apache-2.0
#include "exporters/mhd_loop.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

namespace tcpdiag {

MhdLoop::MhdLoop(MHD_Daemon* daemon) : daemon_(daemon), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "MHD-worker");
}

MhdLoop::~MhdLoop() {
  stopping_ = true;
  wake();
  thread_.join();
  ::close(wake_);
  for (auto& arrival : arrivals_) {
    ::close(arrival.fd);
    arrival.refused();
  }
}

void MhdLoop::add(int fd, const sockaddr_storage& peer, socklen_t peer_length,
                  std::function<void()> refused) {
  {
    const std::scoped_lock lock(mutex_);
    arrivals_.push_back({fd, peer, peer_length, std::move(refused)});
  }
  wake();
}

void MhdLoop::wake() const { ::eventfd_write(wake_, 1); }

void MhdLoop::run() {
  const auto* info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
  std::array<pollfd, 2> watched = {
      {{.fd = wake_, .events = POLLIN}, {.fd = info->epoll_fd, .events = POLLIN}}};
  while (!stopping_) {
    MHD_UNSIGNED_LONG_LONG milliseconds = 0;
    const bool limited = MHD_get_timeout(daemon_.get(), &milliseconds) == MHD_YES;
    const auto wait =
        limited ? static_cast<int>(std::min<MHD_UNSIGNED_LONG_LONG>(milliseconds, INT_MAX)) : -1;
    ::poll(watched.data(), watched.size(), wait);
    eventfd_t count = 0;
    ::eventfd_read(wake_, &count);
    take_arrivals();
    MHD_run(daemon_.get());
  }
}

void MhdLoop::take_arrivals() {
  std::vector<Arrival> arrivals;
  {
    const std::scoped_lock lock(mutex_);
    arrivals.swap(arrivals_);
  }
  for (auto& arrival : arrivals) {
    const auto* peer = reinterpret_cast<const sockaddr*>(&arrival.peer);
    if (MHD_add_connection(daemon_.get(), arrival.fd, peer, arrival.peer_length) != MHD_YES)
      arrival.refused();
  }
}

}  // namespace tcpdiag
