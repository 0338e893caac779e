// SPDX-License-Identifier: Apache-2.0
#include "exporters/acceptor.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace tcpdiag {
namespace {

constexpr int kPauseMilliseconds = 10;
constexpr int kAtOnce = 16;  // of one listener, before the others have their turn

int new_eventfd() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return fd;
}

/// What accept() says of one connection, not of the socket that listens.
bool is_about_a_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:  // by a firewall
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case ETIMEDOUT: return true;
    default: return false;
  }
}

}  // namespace

Acceptor::Acceptor(std::vector<int> listeners, Calls calls)
    : listeners_(std::move(listeners)), calls_(std::move(calls)), stop_(new_eventfd()) {
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "http-accept");
}

Acceptor::~Acceptor() {
  ::eventfd_write(stop_, 1);
  thread_.join();
  ::close(stop_);
}

void Acceptor::run() {
  std::vector<pollfd> watched = {{.fd = stop_, .events = POLLIN}};
  for (const int fd : listeners_) watched.push_back({.fd = fd, .events = POLLIN});
  bool pauses = false;
  for (;;) {
    // who waits stays in the queue of its listener, and poll() would say so without an end
    const int ready = ::poll(watched.data(), pauses ? 1 : watched.size(), pauses ? kPauseMilliseconds : -1);
    if (watched[0].revents != 0) return;
    if (ready < 0) continue;
    const bool paused = std::exchange(pauses, false);
    for (std::size_t i = 0; i < listeners_.size(); ++i)
      if (paused || watched[i + 1].revents != 0) pauses |= !accept_some(i);
  }
}

bool Acceptor::accept_some(std::size_t listener) {
  for (int i = 0; i < kAtOnce; ++i) {
    if (!calls_.has_room(listener)) return false;
    Accepted accepted{.listener = listener, .peer_length = sizeof accepted.peer};
    accepted.fd = ::accept4(listeners_[listener], reinterpret_cast<sockaddr*>(&accepted.peer),
                            &accepted.peer_length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted.fd >= 0) {
      calls_.take(accepted);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) return true;
    if (is_about_a_connection(error)) continue;
    calls_.trouble(error);
    return false;
  }
  return true;
}

}  // namespace tcpdiag
