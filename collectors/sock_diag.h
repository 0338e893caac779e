// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "collectors/source.h"
#include "core/file_descriptor.h"

struct nl_sock;

namespace tcpdiag {

/// A netlink socket for dumps of TCP sockets (man 7 sock_diag). It belongs to the network namespace in which
/// it was opened and is used again for every dump. No privilege is needed.
class SockDiag {
 public:
  /// `socket`: of the family AF_NETLINK and the protocol NETLINK_SOCK_DIAG, of that namespace. `wait`: how
  /// long an answer may take at most; the kernel answers at once.
  static Result<SockDiag> use(FileDescriptor socket, std::chrono::milliseconds wait);

  /// As Source::dump_sockets; `on_message` must not dump in turn. `may_go_on` is asked after every datagram;
  /// its error ends the dump.
  Result<void> dump(const SocketDump& request, const Source::OnMessage& on_message,
                    const std::function<Result<void>()>& may_go_on);

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  explicit SockDiag(std::unique_ptr<nl_sock, Free> socket) : socket_(std::move(socket)) {}
  Result<void> send(const SocketDump& request);
  Result<std::span<const std::byte>> receive();

  std::unique_ptr<nl_sock, Free> socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace tcpdiag
