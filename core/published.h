// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

namespace tcpdiag {

/// Hands an immutable value from the thread that makes it to the threads that read it. Readers keep what they
/// took for as long as they like; nobody ever waits for more than a pointer copy.
template <class T>
class Published {
 public:
  void publish(std::shared_ptr<const T> value) {
    const std::scoped_lock lock(mutex_);
    value_.swap(value);
  }

  /// The latest value; empty before the first publish().
  [[nodiscard]] std::shared_ptr<const T> latest() const {
    const std::scoped_lock lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace tcpdiag
