// SPDX-License-Identifier: Apache-2.0
// The programs of a stage: forked children with names of their own.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "core/facts/processes.h"

namespace tcpdiag::incidents {

/// Runs `body` in a child that is named `comm` and holds no descriptor but the standard ones, in the network
/// namespace of that name (empty: the caller's), and kills it in the end. What `body` throws goes to standard
/// error.
class Process {
 public:
  Process() = default;
  Process(const std::string& comm, const std::string& netns, const std::function<void()>& body);
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Process() { end(); }

  /// Kills it and waits until it is gone: its sockets are closed then.
  void end();
  /// Waits until it has ended by itself.
  void wait();
  /// Sends a signal.
  void signal(int number) const;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

/// Descriptors that a process holds now.
std::uint64_t open_fds(pid_t pid);
/// Sets RLIMIT_NOFILE of a process; pid 0 is the caller.
void limit_fds(pid_t pid, unsigned max_fds);

/// A value that this process and the children it forks afterwards share; its members are atomics.
template <class T>
class Shared {
 public:
  Shared()
      : value_(new(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) T) {
    static_assert(std::is_trivially_destructible_v<T>);
  }
  Shared(Shared&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Shared& operator=(Shared&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Shared() {
    if (value_ != nullptr) ::munmap(value_, sizeof(T));
  }
  T* operator->() const { return value_; }
  /// For a child: its own copy of this object is gone when its function has returned, the value is not.
  T* get() const { return value_; }

 private:
  T* value_;
};

}  // namespace tcpdiag::incidents
