// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>

#include "core/file_descriptor.h"

namespace tcpdiag::bench {

/// The least that a dump of the socket table can cost: the same request as ours, received into a buffer of
/// the same size, and nothing looked at but whether it is the last datagram.
class BareDump {
 public:
  BareDump() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {}

  /// Bytes received; empty when the kernel did not answer.
  std::optional<std::size_t> operator()() {
    struct {
      nlmsghdr header{.nlmsg_len = sizeof(nlmsghdr) + sizeof(inet_diag_req),
                      .nlmsg_type = TCPDIAG_GETSOCK,
                      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};
      inet_diag_req body{.idiag_states = (1U << 12) - 2};
    } request;
    if (::send(socket_.get(), &request, sizeof request, 0) < 0) return {};
    for (std::size_t bytes = 0;;) {
      const auto received = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
      nlmsghdr first{};
      if (received < static_cast<ssize_t>(sizeof first)) return {};
      bytes += static_cast<std::size_t>(received);
      std::memcpy(&first, buffer_.data(), sizeof first);
      if (first.nlmsg_type == NLMSG_ERROR) return {};
      if (first.nlmsg_type == NLMSG_DONE) return bytes;
    }
  }

 private:
  FileDescriptor socket_;
  std::array<std::byte, 32768> buffer_{};
};

}  // namespace tcpdiag::bench
