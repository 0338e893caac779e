// SPDX-License-Identifier: Apache-2.0
#include "daemon/web_config_watch.h"

#include <pthread.h>

namespace tcpdiag {
namespace {

std::vector<FileMark> marks_again(const std::vector<FileMark>& marks) {
  std::vector<FileMark> now;
  now.reserve(marks.size());
  for (const auto& mark : marks) now.push_back(mark_of(mark.path));
  return now;
}

}  // namespace

WebConfigWatch::WebConfigWatch(std::string path, std::vector<FileMark> marks, Take take,
                               std::chrono::milliseconds period)
    : path_(std::move(path)), take_(std::move(take)), period_(period), read_(std::move(marks)), seen_(read_) {
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "web-config");
}

WebConfigWatch::~WebConfigWatch() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void WebConfigWatch::reload() {
  {
    const std::scoped_lock lock(mutex_);
    reload_ = true;
  }
  changed_.notify_one();
}

void WebConfigWatch::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, period_, [this] { return stop_ || reload_; });
    if (stop_) return;
    const bool asked = std::exchange(reload_, false);
    lock.unlock();
    auto now = marks_again(read_);
    const bool settled = now == seen_;
    const bool changed = now != read_;
    seen_ = std::move(now);
    if (asked || (changed && settled)) read();
    lock.lock();
  }
}

void WebConfigWatch::read() {
  read_.clear();
  valid_ = take_(read_web_config(path_, read_)).has_value();
  seen_ = read_;
}

}  // namespace tcpdiag
