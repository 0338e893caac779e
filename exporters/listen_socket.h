// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "core/listen_address.h"
#include "core/result.h"

namespace tcpdiag {

/// A TCP socket that listens, and closes with its owner.
class ListenSocket {
 public:
  /// Without an address: both families on one socket, or IPv4 alone where the kernel has no IPv6. [::] is
  /// IPv6 alone, so that it can stand beside 0.0.0.0. The Error names the address as it was asked for:
  /// ":10180: Address already in use".
  static Result<ListenSocket> open(const ListenAddress& address);

  /// Takes over a socket that listens already. Error: it is not a TCP socket that does.
  static Result<ListenSocket> adopt(int fd);

  ListenSocket(ListenSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ListenSocket& operator=(ListenSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~ListenSocket();

  [[nodiscard]] int fd() const { return fd_; }
  /// Gives the descriptor to somebody else, who closes it.
  int release() { return std::exchange(fd_, -1); }
  /// Where it listens, with the port that the kernel chose for 0.
  [[nodiscard]] ListenAddress address() const;

 private:
  explicit ListenSocket(int fd) : fd_(fd) {}

  int fd_;
};

/// As parse_listen_address() reads it: ":10180", "[::1]:10180".
std::string to_string(const ListenAddress& address);

}  // namespace tcpdiag
