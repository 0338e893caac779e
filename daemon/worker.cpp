// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace tcpdiag {

Worker::Worker(Clocks clocks, std::function<bool()> stopping)
    : clocks_(std::move(clocks)),
      stopping_(std::move(stopping)),
      finished_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!finished_) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "worker");
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Worker::start(std::unique_ptr<Batch> batch) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_ = std::move(batch);
  }
  changed_.notify_one();
}

std::unique_ptr<Batch> Worker::take_finished() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto cleared = ::read(finished_.get(), &count, sizeof count);
  const std::scoped_lock lock(mutex_);
  return std::move(done_);
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || waiting_; });
    if (stop_) return;
    auto batch = std::move(waiting_);
    lock.unlock();
    batch->run(clocks_, stopping_);
    lock.lock();
    done_ = std::move(batch);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto told = ::write(finished_.get(), &one, sizeof one);
  }
}

}  // namespace tcpdiag
